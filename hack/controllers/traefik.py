"""A real traefik, which serves the Ingresses of its class."""

from dataclasses import dataclass
from typing import Final

from hack.cluster import Cluster
from hack.cluster.processes import Daemon
from hack.controllers.beside import embedded
from hack.gitops import guests
from hack.progress import step
from hack.toolchain.build import TRAEFIK, build

CLASS: Final = "traefik"
HTTP: Final = 18080
HTTPS: Final = 18443
ADDRESS: Final = "127.0.0.1"
"""Where it listens, and the address that it publishes in Ingresses."""


@dataclass(frozen=True)
class Traefik:
    """What runs."""

    http: str = f"http://{ADDRESS}:{HTTP}"
    https: str = f"https://{ADDRESS}:{HTTPS}"


def up(cluster: Cluster) -> Traefik:
    """Start it, with its IngressClass."""
    embedded(cluster, "traefik")
    build([TRAEFIK])
    down(cluster)
    controller = {"controller": "traefik.io/ingress-controller"}
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": CLASS}}
    with step("starting traefik"):
        guests.apply(cluster, [{**kind, "spec": controller}])
        guests.start_all(_daemons(cluster))
    return Traefik()


def down(cluster: Cluster) -> None:
    """End it, and remove its IngressClass."""
    guests.end_all(_daemons(cluster))
    guests.remove(cluster, [f"ingressclass/{CLASS}"])


def _daemons(cluster: Cluster) -> guests.Daemons:
    argv = (
        str(TRAEFIK.path),
        "--providers.kubernetesingress",
        f"--providers.kubernetesingress.ingressclass={CLASS}",
        f"--providers.kubernetesingress.ingressendpoint.ip={ADDRESS}",
        f"--entrypoints.web.address={ADDRESS}:{HTTP}",
        f"--entrypoints.websecure.address={ADDRESS}:{HTTPS}",
        "--entrypoints.websecure.http.tls=true",
        "--api.dashboard=false",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--log.level=INFO",
    )
    return [(Daemon("traefik", argv, {"KUBECONFIG": str(cluster.kubeconfig)}, guest=True), HTTPS)]
