"""`mill status` for people: the original's sections, followed by problems, regressions and warnings."""

from collections.abc import Iterator
from typing import Any, Final

from mill_cli.output.columns import NODES, TASKS, service_columns
from mill_cli.output.tables import table
from mill_cli.output.text import with_detail

TROUBLED: Final = ("Failed", "Suspect", "Waiting")
AT_EASE: Final = ("Pending", "Pulling", "Starting", "Healthy", "Stopping", "Stopped")
"""States that are no problem. Unknown states, of a newer gateway, are shown as problems."""


def overview(found: dict[str, Any], width: int | None) -> str:
    """Return the lines. `found` is what `mill_cli.status.read_status` returns."""
    return "\n".join(_lines(found, width))


def _lines(found: dict[str, Any], width: int | None) -> Iterator[str]:
    services, tasks, nodes = found["services"], found["tasks"], found["nodes"]
    yield _headline(nodes)
    sections = (("SERVICES", service_columns(services), services), ("TASKS", TASKS, tasks), ("NODES", NODES, nodes))
    for title, columns, things in sections:
        if things:
            yield from ("", title, columns.show(things, width))
    troubles = [(each["name"], _trouble(each)) for each in services if _troubled(each)]
    if troubles:
        yield from ("", "PROBLEMS", table(("SERVICE", "REASON"), troubles, width))
    cluster = found.get("cluster") or {}
    regressions = [_regression(each) for each in cluster.get("regressions") or ()]
    if regressions:
        yield from ("", "REGRESSIONS", table(("DEPLOYMENT", "ROLLOUT", "RESULT"), regressions, width))
    warnings = [(str(each.get("deployment")), str(each.get("message"))) for each in cluster.get("warnings") or ()]
    if warnings:
        yield from ("", "WARNINGS", table(("DEPLOYMENT", "WARNING"), warnings, width))


def _regression(rollout: Any) -> tuple[str, str, str]:
    return str(rollout.get("deployment")), str(rollout.get("rollout")), str(rollout.get("result"))


def _headline(nodes: list[Any] | None) -> str:
    if nodes is None:
        return "CLUSTER: not permitted to list nodes"
    good = all(each["status"] == "ready" for each in nodes)
    return f"CLUSTER: {len(nodes)} nodes, {'all healthy' if good else 'degraded'}"


def _troubled(service: Any) -> bool:
    return service.get("state") not in (None, *AT_EASE)


def _trouble(service: Any) -> str:
    why = with_detail(str(service.get("message") or service.get("reason") or ""), service.get("detail"))
    if service["state"] in TROUBLED:
        return why
    return f"{service['state']}: {why}" if why else str(service["state"])
