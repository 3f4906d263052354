"""Operator and gateway of a test whose way to the API server is a link that the test holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hack.cluster import Cluster
from tests.e2e.conftest import Namespace
from tests.e2e.faults.link import Link
from tests.e2e.gateway.process import GatewayProcess, ready_gateway
from tests.e2e.replica import Replica, instead_of_the_operator


@contextmanager
def operator_behind(way: Link, cluster: Cluster, folder: Path, namespace: Namespace, **more: str) -> Iterator[Replica]:
    """Have an operator of one namespace instead of the usual one while the block runs."""
    with instead_of_the_operator(cluster, folder) as start:
        operator = start(**way.environment, MILL_WATCH_NAMESPACE=namespace.name, **more)
        operator.wait_until_ready()
        yield operator


@contextmanager
def gateway_behind(way: Link, cluster: Cluster, folder: Path, namespace: Namespace) -> Iterator[GatewayProcess]:
    """Have a gateway that the namespace's commands use while the block runs."""
    with ready_gateway(cluster, folder, **way.environment) as gateway:
        namespace.gateway = gateway.url
        yield gateway
