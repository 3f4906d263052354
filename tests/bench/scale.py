"""How it scales: `make bench-scale`. Thousands of services on fake nodes; only the embedded cluster has those.

1. Many MillDeployments at once, against the same Deployments and Services applied bare, by server-side apply, from the
   same process with as many requests under way as the operator has. Settled is: every pod Ready; for ours also: every
   verdict in the status.
2. One MillDeployment of ever more services: what is written per service must not grow with the others.
3. One change among few settled services and among many: what it costs, and how long its verdict takes.

The operator has no settling window here (`MILL_SETTLE=0s`): a verdict is the moment at which all replicas are ready.

Figures only; nothing here fails.
"""

import argparse
import asyncio
import os
import signal
import sys

from hack.cluster import Cluster, up
from hack.cluster.fake_nodes import fake_nodes
from hack.cluster.packages import NotSupported
from hack.install import local_processes as local
from hack.install.crd import install_crd
from mill_kube.client import KubeClient
from tests.bench import change, many, sizes

FAKE_NODES = 20


async def measure(cluster: Cluster, options: argparse.Namespace) -> None:
    """Measure and print, part by part."""
    os.environ.update(cluster.environment())
    async with await KubeClient.connect(cluster.context) as client:
        if "many" in options.parts:
            await many.measure(client, cluster, many.Size(options.deployments, options.services))
        if "sizes" in options.parts:
            await sizes.measure(client, cluster)
        if "change" in options.parts:
            await change.measure(client, cluster, options.settled)


def main() -> None:
    """Set up, measure, leave nothing behind but the cluster."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale", description=__doc__.partition(":")[0])
    parser.add_argument("--deployments", type=int, default=500, help="MillDeployments at once")
    parser.add_argument("--services", type=int, default=4, help="services of each")
    parser.add_argument("--settled", type=int, default=10_000, help="settled services around one change")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure")
    options = parser.parse_args()
    os.environ["MILL_SETTLE"] = "0s"
    cluster = up()
    install_crd(cluster)
    local.stop()
    # Whoever ends a bench that takes too long wants what it has made to go as well.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with fake_nodes(cluster, FAKE_NODES):
            asyncio.run(measure(cluster, options))
    except NotSupported as error:
        sys.exit(f"error: {error}")


PARTS = ["many", "sizes", "change"]

if __name__ == "__main__":
    main()
