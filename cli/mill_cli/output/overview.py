"""`mill status` for people: what is shown, its services, runs and nodes, and what is wrong. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mill_cli.output.ages import age
from mill_cli.output.columns import NODES
from mill_cli.output.problems import problem_lines
from mill_cli.output.rollout_task_table import rollout_task_table
from mill_cli.output.run_table import newest_first, run_table
from mill_cli.output.schedule_table import schedule_table
from mill_cli.output.service_table import service_table
from mill_cli.output.tables import table
from mill_cli.output.text import one_line
from mill_cli.runs import has_ended
from mill_cli.services import ReportedService, project_services

ENDED_SHOWN: Final = 5
"""Runs that have ended and are shown; `mill ps` shows more."""


def overview(found: Mapping[str, Any], now: float | None, width: int | None, *, problems_first: bool = False) -> str:
    """Return the lines. `found` is what `mill_cli.status.read_status` returns, `now` the gateway's time.

    Problems come last, above the prompt; or first, in a display whose end may be out of sight.
    """
    blocks = list(_blocks(found, now, width))
    if problems_first:
        blocks.sort(key=lambda block: block[0] not in ("", "PROBLEMS"))
    return "\n\n".join(f"{title}\n{text}" if title else text for title, text in blocks)


def _blocks(found: Mapping[str, Any], now: float | None, width: int | None) -> Iterator[tuple[str, str]]:
    """Yield the titles and lines of the sections that have something."""
    cluster, runs, nodes = (found[key] for key in ("cluster", "tasks", "nodes"))
    services = project_services(found["services"])
    deployments = cluster.get("deployments")
    everywhere = found.get("namespaces") == "all"
    yield "", "\n".join([*_headlines(cluster, deployments, now, everywhere=everywhere), _nodes_line(nodes)])
    if deployments and (everywhere or len(deployments) > 1):
        yield "DEPLOYMENTS", _deployment_table(deployments, now, width, namespaces=everywhere)
    if services:
        yield "SERVICES", service_table(services, now, width, namespaces=everywhere)
    if runs:
        listed = newest_first(runs)
        shown = listed[: sum(not has_ended(run) for run in listed) + ENDED_SHOWN]
        left = len(listed) - len(shown)
        more = f"\n and {left} more that have ended: `mill ps`" if left else ""
        yield "TASKS", run_table(shown, now, width, namespaces=everywhere) + more
    if in_rollouts := cluster.get("rollout_tasks"):
        yield "TASKS OF ROLLOUTS", rollout_task_table(in_rollouts, now, width, namespaces=everywhere)
    if schedules := cluster.get("schedules"):
        yield "SCHEDULES", schedule_table(schedules, now, width, namespaces=everywhere)
    if nodes:
        yield "NODES", NODES.show(nodes, width)
    regressions = [_regression(each, namespaces=everywhere) for each in cluster.get("regressions") or ()]
    if regressions:
        yield "REGRESSIONS", table(("DEPLOYMENT", "ROLLOUT", "RESULT"), regressions, width)
    warnings = [*_warnings(cluster, namespaces=everywhere), *_route_warnings(services, namespaces=everywhere)]
    if warnings:
        yield "WARNINGS", table(("DEPLOYMENT", "WARNING"), warnings, width)
    if problems := problem_lines(found, services, now, width, namespaces=everywhere):
        yield "PROBLEMS", "\n".join(problems)


def _headlines(
    cluster: Mapping[str, Any], deployments: Sequence[Any] | None, now: float | None, *, everywhere: bool
) -> Iterator[str]:
    """Yield what is shown: the namespace, and the MillDeployment if there is one only."""
    namespace = one_line(str(cluster.get("namespace") or ""))
    if everywhere:
        yield "NAMESPACES: all"
    elif deployments is not None and len(deployments) == 1:
        (only,) = deployments
        yield f"NAMESPACE: {namespace}"
        yield f"DEPLOYMENT: {one_line(str(only['name']))}, {_standing(only)}, {_rollout(only, now)}"
    elif namespace:
        count = None if deployments is None else len(deployments)  # None: the gateway does not say
        more = {None: "", 0: ", nothing is deployed"}.get(count, f", {count} deployments")
        yield f"NAMESPACE: {namespace}{more}"


def _standing(deployment: Mapping[str, Any]) -> str:
    words = {"InProgress": "in progress", "Refused": "its spec was refused"}
    state = str(deployment["state"])
    paused = "paused, " if deployment.get("paused") else ""
    return f"{paused}{words.get(state, one_line(state.lower()))}, {_healthy(deployment)} healthy"


def _healthy(deployment: Mapping[str, Any]) -> str:
    return f"{deployment['healthy_count']}/{deployment['service_count']}"


def _rollout(deployment: Mapping[str, Any], now: float | None) -> str:
    """Return when the last rollout began: `rollout 4, 14m ago`."""
    since = age(deployment.get("started_at"), now)
    return f"rollout {_number(deployment)}" + (f", {since} ago" if since else "")


def _number(deployment: Mapping[str, Any]) -> str:
    """Return the generation of a rollout, without the request that follows it."""
    return one_line(str(deployment["rollout"])).partition("-")[0]


def _deployment_table(
    deployments: Sequence[Mapping[str, Any]], now: float | None, width: int | None, *, namespaces: bool
) -> str:
    header = ["NAME", "STATE", "HEALTHY", "ROLLOUT", "CHANGED"]
    rows = [
        [
            str(each["name"]),
            f"{each['state']} (paused)" if each.get("paused") else str(each["state"]),
            _healthy(each),
            _number(each),
            age(each.get("started_at"), now),
        ]
        for each in deployments
    ]
    if namespaces:
        header.insert(0, "NAMESPACE")
        rows = [[str(each["namespace"]), *row] for each, row in zip(deployments, rows, strict=True)]
    return table(header, rows, width)


def _nodes_line(nodes: Sequence[Any] | None) -> str:
    if nodes is None:
        return "CLUSTER: not permitted to list nodes"
    good = all(each["status"] == "ready" for each in nodes)
    return f"CLUSTER: {len(nodes)} node{'' if len(nodes) == 1 else 's'}, {'all ready' if good else 'degraded'}"


def _regression(rollout: Mapping[str, Any], *, namespaces: bool) -> tuple[str, str, str]:
    return _deployment(rollout, namespaces=namespaces), str(rollout.get("rollout")), str(rollout.get("result"))


def _warnings(cluster: Mapping[str, Any], *, namespaces: bool) -> Iterator[tuple[str, str]]:
    for each in cluster.get("warnings") or ():
        yield _deployment(each, namespaces=namespaces), str(each.get("message"))


def _route_warnings(services: Sequence[ReportedService], *, namespaces: bool) -> Iterator[tuple[str, str]]:
    for service in services:
        for route in service.routes:
            if route.problem:
                where = f"{service.namespace}/{service.deployment}" if namespaces else service.deployment
                yield where, f"{service.name}: {route.url}: {route.problem}"


def _deployment(found: Mapping[str, Any], *, namespaces: bool) -> str:
    name = str(found.get("deployment"))
    return f"{found.get('namespace')}/{name}" if namespaces else name
