"""Make what tests in a cluster apart need, which has no way to the outside: `python -m hack.controllers`."""

from hack.cluster import components, packages
from hack.controllers import kube_router
from hack.images.mill import build_mill
from hack.toolchain.build import COREDNS, CRANE, ETCD, HELM, KUBE_ROUTER, build


def main() -> None:
    """Install, build and keep all of it."""
    packages.install()
    packages.install(kube_router.PACKAGES)
    build([CRANE, ETCD, COREDNS, HELM, KUBE_ROUTER, *components.wanted().programs])
    build_mill()


if __name__ == "__main__":
    main()
