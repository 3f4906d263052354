"""`mill status`: what the gateway reports of the cluster, services, tasks and nodes."""

from typing import Any, Final

from mill_cli.connection.client import Gateway
from mill_cli.connection.failures import Refused
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.overview import overview

FORBIDDEN: Final = 403


def show_status(options: Options) -> None:
    """Print the status. Raise `CliError`."""
    with Gateway(options) as gateway:
        found = read_status(gateway)
    if options.as_json:
        screen.out_json(found)
    else:
        screen.out(overview(found, screen.width()))


def read_status(gateway: Gateway) -> dict[str, Any]:
    """Return `cluster`, `services`, `tasks` and `nodes` as the gateway reports them. Raise `CliError`.

    Nodes belong to the cluster, not to a namespace: `nodes` is None for a caller that may not list them.
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
