"""Problems of a spec that was read, at their places in the file."""

from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mill_api.checks import Health, Live
from mill_api.files import File as MountedFile
from mill_api.place import Limits, Place
from mill_api.ports import Port
from mill_api.problems import Problem
from mill_api.spec import MillDeploymentSpec, Route, Service, Task, Update, Volume
from mill_api.validation import problems
from mill_language.decode import MAX_DIAGNOSTICS, Decoded, TooManyProblems
from mill_language.diagnostics import did_you_mean, locate
from mill_language.source import Span
from mill_language.syntax import File


def report_problems(decoded: Decoded, spec: MillDeploymentSpec, file: File) -> None:
    """Report every breach of a rule of `validation`, except for consequences of earlier problems."""
    known = {diagnostic.path for diagnostic in decoded.diagnostics} | decoded.misspelled
    names = file.service_names()
    defined = {f"service.{name}" for name in names}
    reported: set[tuple[Span, str]] = set()
    try:
        for problem in problems(spec):
            if problem.path in known:
                continue
            if problem.absent and (not file.whole or not known.isdisjoint(problem.absent)):
                continue
            if _has_unknown(problem, decoded.unknown):
                continue
            if not defined.isdisjoint(problem.absent):
                continue
            place = _place(decoded, problem.path)
            if (place, problem.message) in reported:  # of a shared environment, which others use, too
                continue
            reported.add((place, problem.message))
            advice = problem.help or (
                problem.absent and did_you_mean(problem.absent[0].removeprefix("service."), names)
            )
            label = label_of_others(problem)
            related = [(label, _place(decoded, other)) for other in problem.others]
            found = locate(
                decoded.source, place, problem.message, path=problem.path, advice=advice or None, related=related
            )
            decoded.add(replace(found, wire=problem.wire))
    except TooManyProblems:
        pass


def _has_unknown(problem: Problem, unknown: set[str]) -> bool:
    """Whether a block lacks something of its own, and has an unknown name, which is probably meant for it."""
    inside = f"{problem.path}."
    if not problem.absent or not all(path.startswith(inside) for path in problem.absent):
        return False
    return any(path.startswith(inside) for path in unknown)


def label_of_others(problem: Problem) -> str:
    """Return what is said at the other places of a problem."""
    return "the other one is here" if len(problem.others) == 1 else "and here"


def report_models(decoded: Decoded, error: ValidationError) -> None:
    """Report problems that only the models found, mostly with pydantic's messages."""
    for problem in error.errors(include_url=False, include_input=False)[:MAX_DIAGNOSTICS]:
        path = _path(problem["loc"], decoded.fields)
        span = _place(decoded, path)
        decoded.diagnostics.append(locate(decoded.source, span, _message(problem), path=path or None))


def _path(loc: tuple[int | str, ...], fields: Any) -> str:
    words = {
        "services": "service",
        "tasks": "task",
        "ports": "port",
        "routes": "route",
        "volumes": "volume",
        "files": "file",
    }
    parts: list[str] = []
    for step in loc:
        fields = _get(fields, step)
        if isinstance(step, int) and isinstance(fields, dict):
            parts.append(str(next((fields[key] for key in ("name", "host", "path") if key in fields), step)))
        elif isinstance(step, str):
            parts.append(words.get(step, step))
    return ".".join(parts)


def _get(fields: Any, step: int | str) -> Any:
    try:
        return fields[step]
    except (KeyError, IndexError, TypeError):  # a field that is missing, or a step that pydantic added
        return None


def _message(problem: ErrorDetails) -> str:
    if problem["type"] == "too_long":
        return f"more than {problem['ctx']['max_length']} entries"
    message = problem["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _place(decoded: Decoded, path: str) -> Span:
    """Return where a path stands in the file, or the nearest path around it."""
    while path and path not in decoded.places:
        path = path.rpartition(".")[0]
    return decoded.places.get(path, Span(0, 0))


def _pod(program: Any) -> dict[str, Any]:
    """Return the unchecked blocks that services and tasks share."""
    limits, place = program.get("limits"), program.get("place")
    return {
        "limits": Limits.model_construct(**limits) if limits is not None else None,
        "place": Place.model_construct(**place) if place is not None else None,
    }


def unchecked(fields: Any) -> MillDeploymentSpec:
    """Return an unchecked spec of the decoded fields, so that rules can be applied to it."""
    services = [
        Service.model_construct(
            **{"image": "unknown", "port": None}
            | service
            | {
                "health": Health.model_construct(**service["health"]) if service.get("health") is not None else None,
                "live": Live.model_construct(**service["live"]) if service.get("live") is not None else None,
                "update": Update.model_construct(**service["update"]) if service.get("update") is not None else None,
                **_pod(service),
                "ports": [
                    # A number that could not be read is that of no other port.
                    Port.model_construct(**{"number": -index} | port)
                    for index, port in enumerate(service.get("ports", []))
                ],
                "routes": [Route.model_construct(**{"path": "/"} | route) for route in service.get("routes", [])],
                "volumes": [
                    Volume.model_construct(**{"path": f"/{volume['name']}"} | volume)
                    for volume in service.get("volumes", [])
                ],
                "files": _unchecked_files(service),
            }
        )
        for service in fields.get("services", [])
    ]
    tasks = [
        Task.model_construct(**{"image": "unknown"} | task | _pod(task) | {"files": _unchecked_files(task)})
        for task in fields.get("tasks", [])
    ]
    return MillDeploymentSpec.model_construct(services=services, tasks=tasks)


def _unchecked_files(program: Any) -> list[MountedFile]:
    return [MountedFile.model_construct(**file) for file in program.get("files", [])]
