-- The roles of the image get the password of this installation.
\set password `echo "$POSTGRES_PASSWORD"`
ALTER USER authenticator WITH PASSWORD :'password';
ALTER USER supabase_auth_admin WITH PASSWORD :'password';
ALTER USER supabase_storage_admin WITH PASSWORD :'password';
