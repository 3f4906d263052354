"""An operator with the settling window that users have, and a gateway of the soak's own, as local processes."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hack.cluster import Cluster
from hack.install import local_processes as local
from hack.install.rights import install_policies, install_rights
from tests.e2e.gateway.process import GatewayProcess
from tests.e2e.replica import Replica, without_lease

SETTLE = "10s"
"""The operator's default, which the suites shorten."""


class OperatorRunning(RuntimeError):
    """Another operator reconciles the same resources, by settings of its own."""


@contextmanager
def own_stack(cluster: Cluster, folder: Path, **settings: str) -> Iterator[str]:
    """Run both while the block runs; give the gateway's address. An operator that `make start` started is paused.

    The settings are the operator's.
    """
    ran = local.running("operator") is not None
    local.stop("operator")
    if _answers(local.OPERATOR_PORT):
        raise OperatorRunning(f"another operator listens on port {local.OPERATOR_PORT}; stop it first")
    os.environ["MILL_SETTLE"] = SETTLE  # also of the operator that is started again: the suites' conftest shortens it
    install_rights(cluster)
    if account := settings.get("MILL_SERVICE_ACCOUNT"):
        install_policies(cluster, account)
    without_lease(cluster)
    operator = Replica(cluster, folder, "operator", **settings)
    gateway = GatewayProcess(cluster, folder)
    try:
        operator.wait_until_ready()
        gateway.wait_until_ready()
        yield gateway.url
    finally:
        gateway.stop()
        operator.send(signal.SIGTERM)
        operator.wait()
        if ran:
            local.start(cluster, "operator")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
