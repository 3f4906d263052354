"""Make what tests of GitOps tools need in a cluster apart, which has no way to the outside: `python -m hack.gitops`.

The modules that Argo CD's own tests need are not of these: its test is run before, where there is a way.
"""

from hack.cluster import components, packages
from hack.gitops.argocd import server as argocd
from hack.gitops.flux import server as flux
from hack.toolchain.build import COREDNS, CRANE, ETCD, build, module_directory


def main() -> None:
    """Install, build and keep all of it."""
    packages.install()
    for each in (argocd, flux):
        packages.install(each.PACKAGES)
    guests = [*argocd.PROGRAMS, *flux.PROGRAMS]
    build([CRANE, ETCD, COREDNS, *components.wanted().programs, *guests])
    for program in guests:
        module_directory(program)


if __name__ == "__main__":
    main()
