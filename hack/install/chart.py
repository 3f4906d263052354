"""Install mill into the local cluster as people do into theirs, by the chart: `make install`."""

import sys
from typing import Final

from hack.cluster import up
from hack.commands import run
from hack.images import push_mill
from hack.install.manifests import CHART
from hack.progress import say, step
from hack.toolchain.build import HELM, build
from mill_kube.rights import SYSTEM_NAMESPACE

# What `make start` may have left behind is taken over: its accounts, and the CRD.
_OPTIONS: Final = (
    "--install",
    "--create-namespace",
    "--take-ownership",
    "--force-conflicts",
    "--wait",
    "--timeout",
    "3m",
)


def main() -> int:
    """Build, push, install; say what to type next."""
    cluster = up()
    build([HELM])
    with step("building and pushing the image"):
        repository, _, digest = push_mill(cluster.registry).partition("@")
    with step("installing mill"):
        notes = run(
            *(HELM.path, "upgrade", "mill", CHART, "--kubeconfig", cluster.kubeconfig, "--namespace", SYSTEM_NAMESPACE),
            *(*_OPTIONS, "--set", f"image.repository={repository}", "--set", f"image.digest={digest}"),
        )
    say(notes.partition("NOTES:\n")[2])
    return 0


if __name__ == "__main__":
    sys.exit(main())
