"""The scenario that Mill is made for: one good service, one whose tag does not exist."""

from hack.cluster import kind
from hack.cluster.choose import backend

NODE = kind.NODE if backend() is kind else "node-1"
"""Where everything runs."""

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
LINES = f"""\
  web:    scheduled on {NODE}
  web:    healthy
  broken: failed: image pull failed: tag not found
  deploy finished with errors
"""
REASON = "failed: image pull failed: tag not found"


def plan(namespace: str) -> str:
    """Return what standard error has before anything is written."""
    return f"plan for {namespace}/mill (new): 2 added\n  + service web\n  + service broken\n"


def notices(registry: str) -> tuple[str, str]:
    """Return what standard error may have: the image, or more if the line of `broken` had to wait for `web`."""
    image = f"image {registry}/web:missing"
    return f"  broken: {image}\n", f"  broken: {REASON} ({image})\n"
