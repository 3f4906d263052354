"""Files of both kinds: a `.mill` file with its problems, and a MillDeployment with the `.mill` file that it becomes."""

BAD = 'service "web" {\n  image = "a:1"\n  prot = 80\n  memory = "lots"\n}\n'
PROBLEMS = """\
error: service.web.prot: unknown attribute `prot` in `service`
 --> FILE:3:3
  |
3 |   prot = 80
  |   ^^^^
  = help: did you mean `port`?

error: service.web.memory: invalid size 'lots': it does not begin with a number
 --> FILE:4:12
  |
4 |   memory = "lots"
  |            ^^^^^^
  = help: write a number and a unit, in quotes: "512M" or "1.5Gi"
"""
RESOURCE = """\
apiVersion: mill.dev/v1alpha1
kind: MillDeployment
metadata:
  name: blue
  namespace: shop
spec:
  services:
  - name: web
    image: web:1
    replicas: 2
    env:
      GREETING: Grüße
"""
AS_MILL = 'service "web" {\n  image    = "web:1"\n  replicas = 2\n\n  env {\n    GREETING = "Grüße"\n  }\n}\n'
