"""A gateway for the tests of a file, and gateways with settings of a test's own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from hack.cluster import Cluster
from hack.cluster.fake_nodes import fake_nodes, namespace_annotations
from tests.e2e.conftest import Namespace, new_namespace

from .process import GatewayProcess, ready_gateway

StartGateway = Callable[..., GatewayProcess]


@contextmanager
def on_fake_nodes(cluster: Cluster, folder: Path, count: int) -> Iterator[Namespace]:
    """Have a namespace whose pods run on so many fake nodes. They should be gone before the block ends."""
    with fake_nodes(cluster, count), new_namespace(cluster, folder) as made:
        annotations = [f"{name}={value}" for name, value in namespace_annotations().items()]
        made.run(*cluster.kubectl_command("annotate", "namespace", made.name, *annotations))
        yield made


@pytest.fixture(scope="module")
def gateway(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway that drains nodes too; without tokens."""
    with ready_gateway(cluster, tmp_path_factory.mktemp("gateway"), MILL_DRAIN="true") as process:
        yield process


@pytest.fixture
def http(gateway: GatewayProcess) -> Iterator[httpx.Client]:
    """A client of it."""
    with gateway.client() as client:
        yield client


@pytest.fixture
def start_gateway(cluster: Cluster, tmp_path: Path) -> Iterator[StartGateway]:
    """Start gateways with settings of the test's own: `start_gateway(MILL_ADMIN_TOKEN="…")`."""
    started: list[GatewayProcess] = []

    def start(*, ready: bool = True, **settings: str) -> GatewayProcess:
        started.append(GatewayProcess(cluster, tmp_path, f"gateway-{len(started)}", **settings))
        if ready:
            started[-1].wait_until_ready()
        return started[-1]

    yield start
    for process in started:
        process.end()
