"""What is wrong, in `mill status`: causes, each once with all that have it, and whether they may still heal. Pure."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mill_cli.output.ages import age
from mill_cli.output.moments import seconds_until
from mill_cli.output.text import one_line
from mill_cli.runs import why, word
from mill_cli.services import ReportedService

AT_EASE: Final = ("Pending", "Pulling", "Starting", "Healthy", "Stopping", "Stopped")
"""States that are no problem. Unknown states, of a newer gateway, are shown as problems."""
_ORDER: Final = ("Failed", "Suspect")
RUNS_SHOWN: Final = 5
NAMES_SHOWN: Final = 8
"""Services that are named of those that have the same cause."""
_HELP: Final = "    help: "


def problem_lines(
    found: Mapping[str, Any],
    services: Sequence[ReportedService],
    now: float | None,
    width: int | None,
    *,
    namespaces: bool,
) -> list[str]:
    """Return the lines. `found` is what `mill_cli.status.read_status` returns, `now` the gateway's time.

    `namespaces`: names are of several namespaces.
    """
    lines: list[str] = []
    for names, text, suggestion in _grouped(_problems(found, services, now, namespaces=namespaces)):
        others = len(names) - NAMES_SHOWN
        subject = ", ".join(names[:NAMES_SHOWN]) + (f" and {others} more" if others > 0 else "")
        lines += _wrapped(f" {subject}: {text}", "   ", width)
        lines += _wrapped(f"{_HELP}{suggestion}", " " * len(_HELP), width) if suggestion else []
    runs = _failed_runs(found["tasks"])
    for run in runs[:RUNS_SHOWN]:
        cause = why(run)
        ago = _ago(run.get("finished_at") or run.get("created_at"), now)
        text = f"failed{ago}{f': {cause}' if cause else ''}"
        lines += _wrapped(
            f" run {_name(run.get('namespace'), run.get('id'), namespaces=namespaces)}: {text}", "   ", width
        )
    if others := len(runs) - len(runs[:RUNS_SHOWN]):
        lines.append(f" and {others} more failed runs: `mill ps`")
    return lines


def _problems(
    found: Mapping[str, Any], services: Sequence[ReportedService], now: float | None, *, namespaces: bool
) -> Iterator[tuple[str, str, str]]:
    """Yield the name, the text and the suggestion of each problem, the worst first."""
    for each in found["cluster"].get("deployments") or ():
        if each.get("state") == "Refused":
            what = f"spec refused{_ago(each.get('finished_at'), now)}, nothing was changed: {one_line(each['message'])}"
            yield _name(each.get("namespace"), each.get("name"), namespaces=namespaces), what, ""
    troubled = [each for each in services if each.state and each.state not in AT_EASE]
    rank = {state: at for at, state in enumerate(_ORDER)}
    for each in sorted(troubled, key=lambda service: rank.get(service.state, len(rank))):
        name = _name(each.namespace, each.name, namespaces=namespaces)
        yield name, _service_text(each, now), one_line(each.suggestion)


def _service_text(service: ReportedService, now: float | None) -> str:
    cause, update = service.cause, one_line(service.update)
    match service.state:
        case "Failed":
            what = f"{update}, the version before serves" if update else f"failed{_ago(service.since, now)}"
            return f"{what}: {cause}" if cause else what
        case "Suspect":
            left = seconds_until(service.due_at, now)
            end = (
                "it may still heal"
                if left is None
                else f"it may still heal, and fails in {max(0.0, left):.0f}s otherwise"
            )
            since = age(service.since, now)
            return f"suspect{f' for {since}' if since else ''}: {cause or 'not ready'}; {end}"
        case "Waiting":
            return cause or "waiting"
        case state:
            return f"{one_line(state)}: {cause}" if cause else one_line(state)


def _failed_runs(runs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    failed = [each for each in runs if word(each) == "failed"]
    return sorted(failed, key=lambda run: str(run.get("created_at") or ""), reverse=True)


def _name(namespace: object, name: object, *, namespaces: bool) -> str:
    return f"{one_line(str(namespace))}/{one_line(str(name))}" if namespaces else one_line(str(name))


def _grouped(problems: Iterator[tuple[str, str, str]]) -> list[tuple[list[str], str, str]]:
    """Return the problems with the names of all that have the same text, in the order of the first of each."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name, text, suggestion in problems:
        groups.setdefault((text, suggestion), []).append(name)
    return [(names, text, suggestion) for (text, suggestion), names in groups.items()]


def _ago(since: object, now: float | None) -> str:
    elapsed = age(since, now)
    return f" {elapsed} ago" if elapsed else ""


def _wrapped(text: str, indent: str, width: int | None) -> list[str]:
    if width is None:
        return [text]
    return textwrap.wrap(text, max(20, width), subsequent_indent=indent, break_on_hyphens=False)
