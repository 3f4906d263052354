"""Everything that `mill status` shows."""

from typing import Any

from mill_cli.connection.client import Gateway
from mill_cli.connection.failures import Refused

FORBIDDEN = 403


def read_status(gateway: Gateway) -> dict[str, Any]:
    """Return what the gateway tells: `cluster`, `services`, `tasks`, `nodes`. Raise `CliError`.

    Nodes are of the cluster, not of a namespace: who may not list them sees the rest, and `nodes` is null.
    """
    query = gateway.options.query
    found = {
        "cluster": gateway.get("/v1/status", **query),
        "services": gateway.get("/v1/services", **query),
        "tasks": gateway.get("/v1/tasks", **query),
    }
    try:
        return found | {"nodes": gateway.get("/v1/nodes")}
    except Refused as error:
        if error.status != FORBIDDEN:
            raise
        return found | {"nodes": None}
