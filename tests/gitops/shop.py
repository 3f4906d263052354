"""What is put into Git."""

from hack.gitops.repository import Repository
from tests.e2e.conftest import MILL, Namespace

_GOOD = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
}

service "store" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
  volume "VOLUME" {
    path = "/data"
    size = "10M"
  }
}
"""
FOLDER = "app"
FILE = f"{FOLDER}/mill.yaml"


def volume(namespace: Namespace) -> str:
    """Return the name of the shop's volume, which no other test's has."""
    return f"data-{namespace.name}"


def shop(namespace: Namespace, web: str = "1") -> str:
    """Return a file of two services, one of them with this tag."""
    return _GOOD.replace("VOLUME", volume(namespace)).replace("web:1", f"web:{web}", 1)


def commit(namespace: Namespace, repository: Repository, text: str) -> str:
    """Put a file into Git, rendered as people would; `REGISTRY` in it stands for the registry. Return the commit."""
    file = namespace.folder / "shop.mill"
    file.write_text(text.replace("REGISTRY", namespace.registry))
    return repository.commit({FILE: namespace.run(str(MILL), "render", str(file)).stdout}, "change")
