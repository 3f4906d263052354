"""A service with two replicas, and where a test asks it."""

from tests.e2e.conftest import Namespace

WEB = """
service "web" {
  image    = "REGISTRY/web:1"
  port     = 8080
  cpu      = 0.02
  replicas = 2
  health { path = "/healthz" }
}
"""


def url(namespace: Namespace) -> str:
    return f"http://{namespace.get('service', 'web')['spec']['clusterIP']}:8080/"
