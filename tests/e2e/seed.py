"""The scenario that Mill is made for: one good service, one whose tag does not exist."""

SEED = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.05
  health { path = "/healthz" }
}

service "broken" {
  image = "REGISTRY/web:missing"
  port  = 8080
  cpu   = 0.05
}
"""
FIXED = SEED.replace("web:missing", "web:2")
LINES = """\
  web:    scheduled on node-1
  web:    healthy
  broken: failed: image pull failed: tag not found
  deploy finished with errors
"""
