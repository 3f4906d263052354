"""The parser: text to spec, or everything that is wrong with it."""

from typing import Any

from pydantic import ValidationError

from mill_api.spec import Health, MillDeploymentSpec, Route, Service, Task, Volume
from mill_api.validation import problems
from mill_language.decode import MAX_DIAGNOSTICS, Decoded, TooManyProblems, decode
from mill_language.diagnostics import Diagnostic, InvalidConfig, did_you_mean, locate
from mill_language.source import Source, Span
from mill_language.syntax import Attribute, Block, Body, File, read_file

MAX_BYTES = 256 * 1024
"""As much as `kubectl apply` can keep of a resource: nothing larger would be of use in the cluster."""


def parse(text: str | bytes, *, filename: str = "<mill>") -> MillDeploymentSpec:
    """Read a `.mill` file. Raises InvalidConfig with all of its problems."""
    source = _source(text, filename)
    file = _read(source)
    decoded = decode(file, source)
    if not decoded.diagnostics:
        # The common case: everything was read, and the models check it once more as they would a resource.
        try:
            spec = MillDeploymentSpec.model_validate(decoded.fields)
        except ValidationError as error:
            _report_rules(decoded, _unchecked(decoded.fields), file)
            if not decoded.diagnostics:
                _report_models(decoded, error)
            raise InvalidConfig(_in_order(decoded.diagnostics)) from None
        _report_rules(decoded, spec, file)
        if not decoded.diagnostics:
            return spec
    elif len(decoded.diagnostics) < MAX_DIAGNOSTICS:
        _report_rules(decoded, _unchecked(decoded.fields), file)
    raise InvalidConfig(_in_order(decoded.diagnostics))


def service_names(text: str | bytes) -> list[str]:
    """Return the names of the services in the order of the file, as far as they can be read. Never raises."""
    try:
        return _service_names(_read(_source(text, "")).body)
    except InvalidConfig:
        return []


def _service_names(body: Body) -> list[str]:
    found: dict[str, None] = {}
    for item in body.items:
        if item.name != "service":
            continue
        if isinstance(item, Block) and item.labels:
            found[item.labels[0][0]] = None
        elif isinstance(item, Attribute) and isinstance(item.value, Body):
            found |= dict.fromkeys(entry.name for entry in item.value.items)
    return list(found)


def _source(text: str | bytes, filename: str) -> Source:
    return Source(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text), filename)


def _read(source: Source) -> File:
    """Read the syntax, of what can be a `.mill` file at all."""
    data = source.data
    if len(data) > MAX_BYTES:
        size = f"the file has {len(data):,} bytes; at most {MAX_BYTES:,} are read"
        raise _refused(Source(data[:1], source.filename), 0, size, "is this a .mill file?")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused(source, error.start, "the file is not UTF-8", "save it as UTF-8") from None
    if data.startswith(b"\xef\xbb\xbf"):
        raise _refused(source, 0, "unexpected byte order mark", "save the file as UTF-8 without a byte order mark")
    if (at := data.find(b"\0")) >= 0:
        raise _refused(source, at, "unexpected NUL character", "is this a .mill file?")
    return read_file(source)


def _refused(source: Source, at: int, message: str, advice: str) -> InvalidConfig:
    return InvalidConfig([locate(source, Span(at, at + 1), message, advice=advice, parse_error=True)])


def _report_rules(decoded: Decoded, spec: MillDeploymentSpec, file: File) -> None:
    """Check the rules, but for what is only a consequence of something that was reported."""
    known = {diagnostic.path for diagnostic in decoded.diagnostics}
    names = _service_names(file.body)
    defined = {f"service.{name}" for name in names}
    try:
        for problem in problems(spec):
            if problem.path in known:
                continue
            if problem.absent and (not file.whole or not known.isdisjoint(problem.absent)):
                continue
            if not defined.isdisjoint(problem.absent):
                continue
            advice = problem.help or (
                problem.absent and did_you_mean(problem.absent[0].removeprefix("service."), names)
            )
            related = [("the other one is here", _place(decoded, problem.other))] if problem.other else []
            decoded.report(
                _place(decoded, problem.path),
                problem.message,
                path=problem.path,
                advice=advice or None,
                related=related,
                parse_error=False,
            )
    except TooManyProblems:
        pass


def _report_models(decoded: Decoded, error: ValidationError) -> None:
    """What only the models noticed: a bound that the language has no words of its own for."""
    for problem in error.errors(include_url=False, include_input=False)[:MAX_DIAGNOSTICS]:
        path = _path(problem["loc"], decoded.fields)
        span = _place(decoded, path)
        decoded.diagnostics.append(locate(decoded.source, span, _lower_first(problem["msg"]), path=path or None))


def _path(loc: tuple[int | str, ...], fields: Any) -> str:
    words = {"services": "service", "tasks": "task", "routes": "route", "volumes": "volume"}
    parts: list[str] = []
    for step in loc:
        fields = _get(fields, step)
        if isinstance(step, int) and isinstance(fields, dict):
            parts.append(str(fields.get("name", fields.get("host", step))))
        elif isinstance(step, str):
            parts.append(words.get(step, step))
    return ".".join(parts)


def _get(fields: Any, step: int | str) -> Any:
    try:
        return fields[step]
    except (KeyError, IndexError, TypeError):  # a field that is missing, or a step that pydantic added
        return None


def _lower_first(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _place(decoded: Decoded, path: str) -> Span:
    """Find where a path stands in the file, or the nearest thing around it."""
    while path and path not in decoded.places:
        path = path.rpartition(".")[0]
    return decoded.places.get(path, Span(0, 0))


def _unchecked(fields: Any) -> MillDeploymentSpec:
    """Build a spec out of what could be read, so that rules can be checked on it."""
    services = [
        Service.model_construct(
            **{"image": "unknown", "port": None}
            | service
            | {
                "health": Health.model_construct(**service["health"]) if service.get("health") else None,
                "routes": [Route.model_construct(**{"path": "/"} | route) for route in service.get("routes", [])],
                "volumes": [
                    Volume.model_construct(**{"path": f"/{volume['name']}"} | volume)
                    for volume in service.get("volumes", [])
                ],
            }
        )
        for service in fields.get("services", [])
    ]
    tasks = [Task.model_construct(**{"image": "unknown"} | task) for task in fields.get("tasks", [])]
    return MillDeploymentSpec.model_construct(services=services, tasks=tasks)


def _in_order(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    return sorted(diagnostics, key=lambda diagnostic: (diagnostic.line, diagnostic.column))
