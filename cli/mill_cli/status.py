"""`mill status`: what the gateway reports of the cluster, services, runs of tasks and nodes."""

from typing import Any, Final

from mill_cli.connection.client import Gateway
from mill_cli.connection.failures import Refused
from mill_cli.errors import Exit
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.overview import overview
from mill_cli.services import PATH as SERVICES_PATH
from mill_cli.status_exit import status_exit

FORBIDDEN: Final = 403


def show_status(options: Options, *, all_namespaces: bool, exit_code: bool) -> Exit:
    """Print the status. Raise `CliError`."""
    with Gateway(options) as gateway:
        found, now = read_status(gateway, all_namespaces=all_namespaces)
    if options.as_json:
        screen.out_json(found)
    else:
        screen.out(overview(found, now, screen.width()))
    return status_exit(found) if exit_code else Exit.SUCCESS


def read_status(gateway: Gateway, *, all_namespaces: bool = False) -> tuple[dict[str, Any], float | None]:
    """Return `cluster`, `services`, `tasks` and `nodes` as the gateway reports them, and its time. Raise `CliError`.

    Nodes belong to the cluster, not to a namespace: `nodes` is None for a caller that may not list them. With all
    namespaces there is one more key: `namespaces` is `all`.
    """
    query = dict(gateway.options.query)
    if all_namespaces:  # instead of the namespace of the environment
        query = {key: value for key, value in query.items() if key != "namespace"} | {"allNamespaces": "true"}
    cluster, now = gateway.get_with_time("/v1/status", **query)
    found = {
        "cluster": cluster,
        "services": gateway.get(SERVICES_PATH, **query),
        "tasks": gateway.get("/v1/tasks", **query),
    }
    if all_namespaces:
        found["namespaces"] = "all"
    try:
        return found | {"nodes": gateway.get("/v1/nodes")}, now
    except Refused as error:
        if error.status != FORBIDDEN:
            raise
        return found | {"nodes": None}, now
