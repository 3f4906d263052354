"""Forms in which programs print credentials, with the values that must be redacted; and lines without credentials.

A value is written as `«…»`: no four characters of it in a row may be left.
"""

PEM = "MIIEpAIBAAKCAQEA7bq3vZk1Lr9sTqW8xYc0Dn5Hf2Jg4Km6Pn8Qr0Ts2Uv4Wx6Y"

FORMS = r"""
DB_PASSWORD=«hunter2»
DB_PASS=«Tr0ub4dor»
PGPASS=«Tr0ub4dor»
PGPASSWORD=«Tr0ub4dor»
MYSQL_PWD=«Tr0ub4dor»
MYSQL_ROOT_PASSWORD=«Tr0ub4dor&3»
DB_PW=«Tr0ub4dor»
SMTP_PASS: «Tr0ub4dor»
ADMIN_PASSWD=«Tr0ub4dor»
pass: «Tr0ub4dor»
pwd=«Tr0ub4dor»
pwd=«/x9Fk3/Zz»
passcode=«483920»
passphrase: «correct horse battery staple»
password: «correct horse battery staple»
Password:    «correct-horse»
password	«Tr0ub4dor»
password = «Tr0ub4dor»
password := «"Tr0ub4dor"»
password => «'Tr0ub4dor'»
[password] => «Tr0ub4dor»
:password=>«"Tr0ub4dor"»
config["password"]=«"Tr0ub4dor"»
password -> «Tr0ub4dor»
password is «Tr0ub4dor»
the password was «Tr0ub4dor»
your token is: «Tr0ub4dor»
using password 'root:«Tr0ub4dor»'
CREATE ROLE app LOGIN PASSWORD '«Tr0ub4dor»'
ALTER USER app IDENTIFIED BY '«Tr0ub4dor»'
CREATE USER app IDENTIFIED WITH mysql_native_password BY '«Tr0ub4dor»'
ENCRYPTION_KEY=«a9f8e7d6c5b4»
SIGNING_KEY=«a9f8e7d6c5b4»
JWT_SIGNING_KEY: «a9f8e7d6c5b4»
APP_KEY=«base64:3q2+7wABAgM=»
SECRET_KEY_BASE=«a9f8e7d6c5b4»
RAILS_MASTER_KEY=«a9f8e7d6c5b4»
DefaultEndpointsProtocol=https;AccountName=x;AccountKey=«3q2+7wABAgMEBQ==»;EndpointSuffix=core.windows.net
Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=«3q2+7wABAgMEBQ==»
client-key-data: «LS0tLS1CRUdJTiBSU0Eg»
aws_secret_access_key = «wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzz»
aws_session_token=«FwoGZXIvYXdzEBYaDK»
API key: «Tr0ub4dor»
access key «= Tr0ub4dor»
private key: «Tr0ub4dor»
X-Api-Key: «Tr0ub4dor»
apiKey: '«Tr0ub4dor»',
api-key='«Tr0ub4dor»' next
clientSecret: "«Tr0ub4dor»"
client_secret=«Tr0ub4dor»
secret=«Tr0ub4dor»
vault_secret_id=«Tr0ub4dor-77»
AUTH_TOKEN=«Tr0ub4dor»
access_token=«Tr0ub4dor»
refreshToken: «Tr0ub4dor»
csrf_token: «Tr0ub4dor»
credentials: «app:Tr0ub4dor»
DOCKER_AUTH_CONFIG={"auths":{"r.example":{"auth":"«YXBwOlRyMHViNGRvcg==»"}}}
Cookie: «session=Tr0ub4dor; theme=Dark»
Set-Cookie: «sid=Tr0ub4dor; Path=/srv»
JSESSIONID=«Tr0ub4dor»
Authorization: «Bearer abc.Def»
Authorization: «Basic YXBwOlRyMHViNGRvcg==»
Authorization: «Negotiate YIIJvwYGKwYBBQ REST»
rejected Bearer token «Zq9xV7mKpL2w»
Authorization: «Digest username="app", response="6629fae49393a05397450978507c4ef1"»
Authorization: «AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7/20260101/us-east-1/s3/aws4_request, Signature=fe5f80f77d5fa3beca»
authorization: «SharedKey acct:ctzMq410TV3wS7upTBcun»
"Authorization": ["«Bearer abc.Def»"]
['Authorization', '«Bearer abc.Def»']
-H 'Authorization: «token abcDef99»'
Proxy-Authorization: «NTLM TlRMTVNTUAABAAAAB4IIogAAAAA»
X-Auth-Token: «Tr0ub4dor»
got Bearer «abcDef99.REST»
sent header Basic «YXBwOlRyMHViNGRvcg==»
password=«ab,REST»
password=«ab;REST»
password=«ab&REST»
password=«ab REST»
{"password":"«ab\"REST»"}
{"password": "«hunter 2»", "port": 80}
{"user":"app","password":"«Tr0ub4dor»","host":"db"}
{"msg":"{\"password\":\"«Tr0ub4dor»\"}"}
{"msg":"{\"a\":\"{\\\"password\\\":\\\"«Tr0ub4dor»\\\"}\"}"}
{'password': '«Tr0ub4dor»'}
{"password":null,"token":"«Tr0ub4dor»"}
{\u0022password\u0022:\u0022«Tr0ub4dor»\u0022}
password&quot;:&quot;«Tr0ub4dor»&quot;
Secret("«a b REST»")
Password('«Tr0ub4dor»')
Config { password: Some("«Tr0ub4dor»"), port: 5432 }
#<Config @password="«Tr0ub4dor»", @port=1>
password%3D«Tr0ub4dor»
user=app&password=«Tr0ub4dor»&host=db
%22password%22%3A%22«Tr0ub4dor»%22
%2522token%2522%253A%2522«Tr0ub4dor»%2522
app --password «Tr0ub4dor» --port 80
app --password=«Tr0ub4dor»
app -password «Tr0ub4dor»
app --db-pass «Tr0ub4dor»
app --api-key «Tr0ub4dor»
["app","--password","«Tr0ub4dor»"]
args: ['--token', '«Tr0ub4dor»']
mysql -u root -p«Tr0ub4dor» app
sshpass -p «Tr0ub4dor» ssh host
redis-cli -a «Tr0ub4dor» ping
curl -u app:«Tr0ub4dor» https://x.example
curl --user 'app:«Tr0ub4dor»' https://x.example
AUTH «Tr0ub4dor»
"AUTH" "default" "«Tr0ub4dor»"
requirepass «Tr0ub4dor»
machine x.example login app password «Tr0ub4dor»
//registry.npmjs.org/:_authToken=«Tr0ub4dor»
<password>«Tr0ub4dor»</password>
<db:Password type="text">«Tr0ub4dor»</db:Password>
<string name="password">«Tr0ub4dor»</string>
<property name="db.password" value="«Tr0ub4dor»"/>
<add key="ApiToken" value="«Tr0ub4dor»" />
<entry key="password">«Tr0ub4dor»</entry>
{"name":"DB_PASSWORD","value":"«Tr0ub4dor»"}
{"value":"«Tr0ub4dor»","name":"DB_PASSWORD"}
{"Key":"api_key","Value":"«Tr0ub4dor»"}
{ name: 'API_TOKEN', value: '«Tr0ub4dor»' }
Name=DB_PASSWORD, Value=«Tr0ub4dor»
| password | «Tr0ub4dor» |
('password', '«Tr0ub4dor»')
cannot reach postgres://app:«hunter2»@db:5432/app
redis://:«hunter2»@cache
amqp://app:«hunter@2»@queue:5672/vhost
postgres://u:«ab/REST»@db
postgres://u:«ab"REST»@db
postgres://u:«ab'REST»@db
postgres://u:«ab#REST»@db
postgres://u:«ab?REST»@db
postgres://u:«p@ss/word»@db
mongodb+srv://app:«Tr0ub4dor»@c0.example.net/?w=1
https://«x-token-auth99»@bitbucket.org/a/b.git
{"url":"mysql://app:«Tr0ub4dor»@db","to":"ops@example.com"}
postgres%3A%2F%2Fapp%3A«Tr0ub4dor»%40db
DATABASE_URL=postgres://app:«Tr0ub4dor»@db/app
dial app:«Tr0ub4dor»@tcp(db:3306)/app
app:«Tr0ub4dor»@db.example:5432 refused
jdbc:oracle:thin:«scott/Tr0ub4dor»@//db:1521/x
jdbc:sqlserver://db;user=sa;password=«Tr0ub4dor»;encrypt=true
Server=db;User Id=sa;Password=«Tr0ub4dor»;
GET https://b.s3.amazonaws.com/k?X-Amz-Credential=«AKIAIOSFODNN7»&X-Amz-Signature=«fe5f80f77d5fa3beca038a248ff027»
GET https://x.blob.core.windows.net/c?sv=2024&sig=«3q2%2B7wABAgMEBQ%3D%3D»
sig=«3q2+7wABAgMEBQ»
https://maps.example/api?key=«Tr0ub4dor99»
https://x.example/callback?code=«Tr0ub4dor99»
POST https://hooks.slack.com/services/«T0AAAA/B0BBBB/Zz9Yy8Xx7»
POST https://discord.com/api/webhooks/«1234567890/Zz9Yy8Xx7Ww6»
https://corp.webhook.office.com/webhookb2/«a1b2c3d4-1111@b2c3/Zz9Yy8Xx7»
https://api.telegram.org/bot«123456:AAErZz9Yy8Xx7»/sendMessage
WEBHOOK_URL=«https://x.example/T0/Zz9Yy8»
token «github_pat_11ABCDEFG0aBcDeFgHiJ_kLmNoPq»
token «ghp_aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789»
found «ghu_16C7e42F292c6912E7710c838347Ae178B4a» here
found «ghr_1B4a2e77838347a7E420ce178F2E7c6912E1» here
«glpat-aBcDeFgHiJ0123456789»
«glrt-aBcDeFgHiJ0123456789»
«AKIAIOSFODNN7ABCDEFG»
«ASIAY34FZKBOKMUTVV7A»
«xoxb-123456789012-abcDEFghi»
«xapp-1-A0123-456-abcdef»
«xoxr-12-abcdefgh99»
«sk_live_aBcDeFgHiJkL99»
«rk_live_aBcDeFgHiJkL99»
«whsec_aBcDeFgHiJkL99»
«npm_aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789»
«pypi-AgEIcHlwaS5vcmcCJDU3»
«dckr_pat_aBcDeFgHiJkL»
«SG.ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf»
«hvs.CAESIJlWqRtYuIoP»
«dop_v1_a9f8e7d6c5b4a9f8»
«hf_aBcDeFgHiJkLmNoPqRsTuVwXyZabcdefgh»
«AIzaSyDaGmWKa4JsXZHjGw7ISLn3namBGewQe»
«ya29.a0AfH6SMBx»
«AGE-SECRET-KEY-1QPZRY9X8GF2TVDW0S3JN54»
«sk-ant-api03-aBcDeFgHiJ»
«sk-proj-aBcDeFgHiJ0123»
«shpat_a9f8e7d6c5b4»
«eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln»
«eyJhbGciOiJkaXIifQ..iv9Iv9Iv9.Y2lwaGVy.dGFn»
«eyJhbGciOiJIUzI1NiJ9.eyJzdWI»
contraseña: «Tr0ub4dor»
密码：«Tr0ub4dor»
senha=«Tr0ub4dor»
SPRING_DATASOURCE_PASSWORD=«Hunter2x»
spring.datasource.password: «Hunter2x»
REDIS_URL=redis://default:«Hunter2x»@redis:6379/0
DSN: "app:«Hunter2x»@tcp(mysql:3306)/app?parseTime=true"
host=db port=5432 user=app password=«Hunter2x» dbname=app sslmode=disable
Data Source=db;Initial Catalog=x;User ID=sa;Pwd=«Hunter2x»;
KEYSTORE_PASS=«Hunter2x»
keyPassphrase="«Hunter2x»"
userPassword:: «SHVudGVyMng=»
LDAP_BIND_PW=«Hunter2x»
ldap bindpw: «Hunter2x»
bind_password «= Hunter2x»
_auth=«YWRtaW46SHVudGVyMng=»
X-Vault-Token: «hvs.CAESIHunter2x»
x-goog-api-key: «AIzaSyHunter2x»
Ocp-Apim-Subscription-Key: «0a1b2c3d4e5f60718293»
X-Amz-Security-Token=«FwoGZXIvYXdzEHunter2x»
Stripe-Signature: «t=1492774577,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd»
fcm server key: «AAAAHunter2x:APA91b»
TWILIO_AUTH_TOKEN=«0a1b2c3d4e5f60718293a4b5»
SENTRY_DSN=https://«0a1b2c3d4e5f6071»@o1.ingest.sentry.io/1
SLACK_WEBHOOK=«https://hooks.slack.com/services/T0/B0/Hunter2x»
mongodb://«app:Hunter2x»@a:27017,b:27017/?authSource=admin
nats://«Hunter2xtok»@nats:4222
https://oauth2:«glpat-Hunter2xHunter2x»@gitlab.example/a.git
git clone https://«x-access-token:ghs_Hunter2xHunter2x»@github.com/a/b
s3://«AKIAHUNTER2XHUNTER:Hunter2x/abc+def»@bucket
ftp://app:«Hunter2x»@ftp.example
Login with user=admin pass=«Hunter2x» failed
Incorrect password: «Hunter2x»
wrong password «'Hunter2x'»
invalid api key: «Hunter2x»
Invalid API key provided: «sk-Hunter2xHunter2xHunter2x»
bad token «eyJhbGciOiJIUzI1NiJ9.e30.abc»
password=«"Hunter2x" and else»
export DB_PASSWORD=«'Hunter2x'»
- DB_PASSWORD=«Hunter2x»
ENV DB_PASSWORD «Hunter2x»
set password «Hunter2x»
Environment="DB_PASSWORD=«Hunter2x»"
-e DB_PASSWORD=«Hunter2x» image
-Ddb.password=«Hunter2x»
--set auth.password=«Hunter2x»
--from-literal=password=«Hunter2x»
[DEBUG] headers: {authorization=[«Basic YXBwOkh1bnRlcjJ4»]}
Headers({'authorization': '«Bearer Hunter2x»'})
authorization: «Bearer» «Hunter2x.yy»
> Authorization: «Basic YXBwOkh1bnRlcjJ4»
cookie: «_session=Hunter2x; b=c»
Set-Cookie: «connect.sid=s%3AHunter2x.abc; HttpOnly»
{"headers":{"cookie":"«a=Hunter2x»"}}
{"env":[{"name":"API_KEY","value":"«Hunter2x»"},{"name":"X","value":"y"}]}
map[password:«Hunter2x» user:app]
&{User:app Password:«Hunter2x» Host:db}
{User:app Pass:«Hunter2x»}
User(name='app', password='«Hunter2x»')
password='''«Hunter2x»'''
'password' => '«Hunter2x»',
"password" , "«Hunter2x»"
password;«Hunter2x»
"db_password","«Hunter2x»"
PASSWORD «Hunter2x»
\"secret\": \"«Hunter2x»\"
\\\"secret\\\": \\\"«Hunter2x»\\\"
{\"api_key\":\"«Hunter2x»\"}
token%3d«Hunter2x»
access_token%253D«Hunter2x»
?access_token=«Hunter2x»#x
&client_secret=«Hunter2x»
GET /login?password=«Hunter2x» HTTP/1.1
"GET /?token=«Hunter2x» HTTP/1.1" 200
<Password>«Hunter2x»
<password value="«Hunter2x»"/>
<user name="a" password="«Hunter2x»"/>
<wsse:Password Type="x#PasswordText">«Hunter2x»</wsse:Password>
<token><![CDATA[«Hunter2x»]]></token>
&lt;password&gt;«Hunter2x»&lt;/password&gt;
password &rarr; «Hunter2x»
Password (hidden): «Hunter2x»
Password for app: «Hunter2x»
Generated password: «Hunter2x»
generated root password: «Hunter2x»
Please use the following password «Hunter2x»
Your one-time password is «Hunter2x»
Jenkins initial setup: password: «0a1b2c3d4e5f60718293a4b5c6d7e8f9»
One-time token: «Hunter2x»
otp=«123456»
PIN: «123456»
MFA code: «123456»
recovery key: «Hunter2x»
license key: «ABCD-EFGH-1234»
LICENSE_KEY=«ABCD-EFGH-1234»
seed phrase: «abandon ability able about»
mnemonic: «abandon ability able about»
salt: «Hunter2x»
hmac key = «Hunter2x»
private_key = «Hunter2x»
kubeconfig token: «Hunter2x»
bearerToken: «Hunter2x»
identityToken=«Hunter2x»
id_token=«Hunter2x»
"auth": "«YXBwOkh1bnRlcjJ4»"
"identitytoken": "«Hunter2x»"
"registrytoken": "«Hunter2x»"
"client_secret" : "«Hunter2x»"
encryption key is «Hunter2x»
connection_string=Server=db;Password=«Hunter2x»
sasl.jaas.config=org.apache.kafka...required username="a" password="«Hunter2x»";
ssl.keystore.password=«Hunter2x»
javax.net.ssl.trustStorePassword=«Hunter2x»
vault_token: «s.Hunter2xHunter2xHunter2x»
npm ERR! //npm.example/:_password="«SHVudGVyMng=»"
AccountKey=«Hunter2x==»
SharedAccessSignature=«sr=x&sig=Hunter2x»
SAS: «?sv=2020&sig=Hunter2x»
Set password to «Hunter2x»
password set to «Hunter2x»
password: «***Hunter2x»
password=«$2b$12$Hunter2xHunter2xHunter2x»
root:«$6$abcd$Hunter2xHunter2x»:19000:0
htpasswd app:«$apr1$abcd$Hunter2xHunter2x»
Credential=«AKIAHUNTER2X»/20260101/us-east-1/s3/aws4_request
AWS_ACCESS_KEY_ID=«AKIAHUNTER2XHUNTER»
SECRET_ID: «Hunter2x»
accessKey «Hunter2x» secretKey «Hunter3x»
aws configure set aws_secret_access_key «Hunter2x»
PGPASSWORD='«Hunter2x»' psql -h db
psql "postgresql://app:«Hunter2x»@db/app"
mongosh -u app -p «Hunter2x»
docker login -u app -p «Hunter2x»
helm --password «Hunter2x»
--password «"Hunter2x and else"»
--secret=«Hunter2x»
--auth «app:Hunter2x»
SELECT * FROM users WHERE password = '«Hunter2x»'
INSERT INTO users (name, password) VALUES ('a', '«Hunter2x»')
SET PASSWORD FOR app = '«Hunter2x»'
PASSWORD('«Hunter2x»')
UPDATE users SET token='«Hunter2x»'
DB_PASSWORD : «Hunter2x»
DB_PASSWORD →  «Hunter2x»
DB-PASSWORD=«Hunter2x»
db.password.value=«Hunter2x»
passwordValue=«Hunter2x»
tokenValue: «Hunter2x»
secret_value: «Hunter2x»
password_1=«Hunter2x»
PASSWORD2=«Hunter2x»
mdp=«Hunter2x»
mot_de_passe=«Hunter2x»
clave=«Hunter2x»
пароль: «Hunter2x»
passwort=«Hunter2x»
kennwort: «Hunter2x»
""".strip().split("\n")

BLOCKS = [
    "password: |\n  «Tr0ub4dor»\n  «Second99»\nport: 80",
    "password: >-\n    «Tr0ub4dor»\nport: 80",
    "password:\n  «Tr0ub4dor»\nport: 80",
    "  - password:\n      «Tr0ub4dor»",
    "password: «Tr0ub4dor\n  Second99»\nport: 80",
    'PASSWORD="«Tr0ub4dor\nSecond99»"\nPORT=80',
    "PASSWORD='«Tr0ub4dor\nSecond99\nThird99»'\nPORT=80",
    'secret = """\n«Tr0ub4dor\nSecond99»\n"""\nport = 80',
    "password = <<EOT\n«Tr0ub4dor»\nEOT\nport = 80",
    "app --password \\\n  «Tr0ub4dor» \\\n  --port 80",
    'credentials: {\n  "user": "«appuser»",\n  "x": "«Tr0ub4dor»"\n}\nport',
    '"secrets": [\n  "«Tr0ub4dor»",\n  "«Second99»"\n]\nport',
    '"secrets": ["«Tr0ub4dor»",\n  "«Second99»"]\nport',
    "- name: DB_PASSWORD\n  value: «Tr0ub4dor»\n- name: PORT",
    '{\n  "name": "DB_PASSWORD",\n  "value": "«Tr0ub4dor»"\n}',
    '{\n  "value": "«Tr0ub4dor»",\n  "name": "DB_PASSWORD"\n}',
    "<password>\n  «Tr0ub4dor»\n</password>\n<port>80</port>",
    f"key -----BEGIN RSA PRIVATE KEY-----\n«{PEM}\n{PEM}»\n-----END RSA PRIVATE KEY----- end",
    f"cut off -----BEGIN EC PRIVATE KEY-----\n«{PEM}»",
    f"«{PEM}\nx7Vd»\n-----END RSA PRIVATE KEY-----\nexit",
    f"«{PEM}\n{PEM}\nx7VdAA==»\nexit",
    f"2026-01-01T00:00:00Z «{PEM}»\n2026-01-01T00:00:00Z -----END PRIVATE KEY-----",
    f"-----BEGIN OPENSSH PRIVATE KEY-----\\n«{PEM}»\\n-----END OPENSSH PRIVATE KEY-----\\n",
    f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n«{PEM}»\n-----END PGP PRIVATE KEY BLOCK-----",
    f'"private_key": "-----BEGIN PRIVATE KEY-----\\n«{PEM}»\\n-----END PRIVATE KEY-----\\n"',
    'Authorization: Digest username="«appuser»",\n    response="«6629fae49393»"',
    "DB_PASSWORD\x1b[0m=«Tr0ub4dor»",
    "\x1b[33mpassword\x1b[0m: \x1b[32m'«Tr0ub4dor»'\x1b[39m",
    "pass\u200bword=«Tr0ub4dor»",
    "p\0a\0s\0s\0w\0o\0r\0d\0=\0«h\0u\0n\0t\0e\0r»\0",
    "\u202epassword=«Tr0ub4dor»",
    '{"msg":"a\\nDB_PASS=«Tr0ub4dor»\\nPORT=80"}',
    "first\r\nDB_PASSWORD=«Tr0ub4dor»\r\nlast",
]

HARMLESS = r"""
failed to call webhook: Post "https://kyverno-svc.kyverno.svc:443/validate/fail?timeout=10s": no endpoints available
Unexpected token: '}' in config.json
max_tokens=4096 exceeds limit
pwd=/srv/app: permission denied
PWD=/app
failed to parse secret: unexpected end of JSON
bearer token missing
Bearer authentication required
token expired
token: expired
password authentication failed for user "app"
FATAL:  password authentication failed for user "app"
secret "db.url" not found
key not found: PORT
TypeError: Cannot read properties of undefined (reading 'token')
KeyError: 'API_KEY'
missing required env API_KEY
Error: API_KEY is required
API_KEY is not set
API_KEY must be set
environment variable DB_PASSWORD is missing
invalid password: must be at least 8 characters
token: signature is invalid
jwt: invalid signature
Invalid token: signature verification failed
failed to decode token: illegal base64 data at input byte 4
failed to load private key: no such file or directory
open /run/secrets/db: no such file or directory
error fetching token: dial tcp 10.0.0.1:443: connect: connection refused
cannot get token: context deadline exceeded
bad credentials
Access denied for user 'app'@'10.0.0.1' (using password: YES)
could not read password file /run/secrets/db
PASSWORD_FILE=/run/secrets/db
token_url=https://auth.example/token
token_type=bearer
password_min_length=8
prompt_tokens: 12, completion_tokens: 5
tokens=12 limit=100
tokenizer=bert-base
duplicate key value violates unique constraint "users_pkey"
Duplicate entry '4711' for key 'PRIMARY'
primary key: id
public_key=abc
partition_key: user-4711
author: Jane Doe
compass=north bypass=true
--- PASS: TestLogin (0.00s)
unknown flag: --token
flag --password is required
WWW-Authenticate: Bearer realm="https://auth.docker.io/token",service="registry.docker.io"
Bearer token is missing
thread 'main' panicked at src/token.rs:42:10: index out of bounds
auth.go:33: connection reset by peer
  File "/app/auth/token.py", line 12, in verify
jwt.exceptions.ExpiredSignatureError: Signature has expired
TokenExpiredError: jwt expired
pulling registry.example:5000/app@sha256:0123456789abcdef failed
https://registry.example:5000/v2/app/manifests/1 answered 404
http://localhost:8080/healthz returned 503
see https://docs.example/a@b
mail to ops@example.com failed
listening on tcp://0.0.0.0:8080
exiting with code 1 after 4s
skopeo-copies-everything-to-there
npm_package_name=my-application-with-a-long-name
password=***
password: "" user: app
password=${DB_PASSWORD} is empty
-----END CERTIFICATE-----
tls: private key does not match public key
SSL routines: certificate verify failed
docker run -u 1000:1000 app
sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
error: secret not found
Error: Cannot find module './token'
secrets "db" is forbidden: User "system:serviceaccount:a:b" cannot get resource "secrets" in API group ""
rpc error: code = Unauthenticated desc = invalid token
the keyboard and the monkey
password: incorrect
Wrong password
wrong password for user app
Token has expired
token is malformed: token contains an invalid number of segments
authentication failed: invalid credentials
error: You must provide credentials
ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: NO)
pq: password authentication failed for user "app"
psycopg2.OperationalError: connection to server at "db" (10.0.0.5), port 5432 failed: FATAL:  password authentication failed for user "app"
redis.exceptions.AuthenticationError: WRONGPASS invalid username-password pair or user is disabled.
NOAUTH Authentication required.
SASL authentication failed
MongoServerError: Authentication failed.
fatal: could not read Username for 'https://github.com': No such device or address
Error: secretOrPrivateKey must have a value
Error: JWT_SECRET must be set
Missing SECRET_KEY_BASE for 'production' environment, set this string with `bin/rails credentials:edit`
ArgumentError: Missing `secret_key_base` for 'production' environment
django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.
pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings
api_key
  Field required [type=missing, input_value={}, input_type=dict]
openai.AuthenticationError: Error code: 401
Unauthorized: token not found
unable to read token file: open /var/run/secrets/token: no such file or directory
failed to parse private key: asn1: structure error
x509: certificate signed by unknown authority
KeyError: 'SECRET_KEY'
NoMethodError: undefined method `token' for nil:NilClass
ReferenceError: token is not defined
SyntaxError: Unexpected token u in JSON at position 0
SyntaxError: Unexpected token < in JSON at position 0
SyntaxError: Unexpected token '<', "<!DOCTYPE "... is not valid JSON
JSON.parse: unexpected token
parse error near unexpected token `('
syntax error near unexpected token `done'
yaml: line 3: found character that cannot start any token
Unhandled exception: key 'port' not found
Error: Key not found
key error: PORT
duplicate key: port
ERROR: duplicate key value violates unique constraint "pk"
Foreign key constraint fails
cache key: user:42
sort key: created_at
map key: a
Tokens used: 42
used 42 tokens
total_tokens=1000 prompt_tokens=900
"usage":{"prompt_tokens":12,"completion_tokens":5}
max_tokens: 4096
token limit: 4096
signature mismatch
signature verification failed
signature: invalid
auth: invalid signature
auth failed
auth service unavailable
authentication: disabled
Authorization header missing
cookie not set
session expired
passed 12 of 13 tests
pass 12
password hash algorithm: bcrypt
secretName: my-secret
secret_name=my-secret
SECRET_FILE=/run/secrets/x
token file /var/run/token does not exist
tokenPath: /var/run/token
passwordField: pw
token_endpoint: https://auth.example/token
Listening for keys on port 80
keyspace hits: 12
keyword: port
hotkey=F5
monkey=1
turkey: 2
PUBLIC_KEY=abc
password policy: at least 8 characters
--password is required
error: flag needs an argument: --token
usage: app --password PASSWORD
-----BEGIN CERTIFICATE-----
no PEM data found
panic: runtime error: invalid memory address or nil pointer dereference
goroutine 1 [running]:
Error: listen EADDRINUSE: address already in use :::8080
Error: connect ECONNREFUSED 10.0.0.1:5432
exec /app: exec format error
/bin/sh: 1: node: not found
java.lang.OutOfMemoryError: Java heap space
Caused by: java.net.UnknownHostException: db
could not translate host name "db" to address: Name or service not known
cannot connect to tcp://db:5432: connection refused
image registry.example:5000/app:1.2@sha256:0123 not found
url=http://example.com:8080/path?x=1&y=2
http://10.0.0.1:9090/api/v1/query?query=up
seed=42
random seed: 42
[redacted]
""".strip("\n").split("\n")
