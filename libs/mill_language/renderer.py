"""The canonical text of a spec, which `parse` reads back as the same spec."""

import contextlib
import re
from collections.abc import Iterable, Iterator
from typing import Final

from mill_api.durations import normalize_duration
from mill_api.files import File
from mill_api.ports import Port
from mill_api.quantities import normalize_size
from mill_api.references import OPEN, InvalidValue, format_value, parse_value
from mill_api.spec import MillDeploymentSpec, Route, Service, Task, Volume
from mill_language.check_renderer import check_attributes, health_attributes, update_attributes
from mill_language.pod_renderer import cores, pod_attributes, pod_blocks
from mill_language.strings import block_literal, quote, quote_value, quote_word

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
_DEFAULTS: Final = Service.model_construct(name="", image="")
_TASK_DEFAULTS: Final = Task.model_construct(name="", image="")

Line = str
"""A line, or a heredoc with all of its lines, of which only the first is indented."""
Pair = tuple[str, str]


def render(spec: MillDeploymentSpec) -> str:
    """Return a spec as a `.mill` file. Fields that have their default are left out."""
    blocks = [_block(f'service "{service.name}"', _service(service)) for service in spec.services]
    blocks += [_block(f'task "{task.name}"', _task(task)) for task in spec.tasks]
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks)


def _service(service: Service) -> Iterator[Line]:
    yield from _aligned(_service_attributes(service))
    yield from _env(service.env)
    for port in service.ports:
        yield ""
        yield from _block(f"port {quote(port.name)}", _aligned(_port(port)))
    if service.health is not None:
        yield ""
        yield from _block("health", _aligned(health_attributes(service.health)))
    if service.live is not None:
        yield ""
        yield from _block("live", _aligned(check_attributes(service.live)))
    if service.update is not None:
        yield ""
        yield from _block("update", _aligned(update_attributes(service.update)))
    yield from _pod_blocks(service)
    for route in service.routes:
        yield ""
        yield from _block(f"route {quote(route.host)}", _aligned(_route(route)))
    for volume in service.volumes:
        yield ""
        yield from _block(f"volume {quote(volume.name)}", _aligned(_volume(volume)))
    yield from _files(service.files)


def _task(task: Task) -> Iterator[Line]:
    yield from _aligned(_task_attributes(task))
    yield from _env(task.env)
    yield from _pod_blocks(task)
    yield from _files(task.files)


def _service_attributes(service: Service) -> Iterator[Pair]:
    yield "image", quote(service.image)
    if service.port is not None:
        yield "port", str(service.port)
    if service.replicas is not None:
        yield "replicas", str(service.replicas)
    yield from _resources(service, _DEFAULTS)
    yield from _words("command", service.command)
    yield from _words("args", service.args)
    if service.after:
        yield "after", _list(map(quote, service.after))
    yield from pod_attributes(service)


def _task_attributes(task: Task) -> Iterator[Pair]:
    yield "image", quote(task.image)
    yield from _resources(task, _TASK_DEFAULTS)
    if task.timeout != _TASK_DEFAULTS.timeout:
        yield "timeout", quote(normalize_duration(task.timeout))
    if task.schedule is not None:
        yield "schedule", quote(task.schedule)
    if task.timezone is not None:
        yield "timezone", quote(task.timezone)
    if task.overlap:
        yield "overlap", "true"
    if task.deadline is not None:
        yield "deadline", quote(normalize_duration(task.deadline))
    yield from _words("command", task.command)
    yield from _words("args", task.args)
    if task.before:
        yield "before", _list(map(quote, task.before))
    if task.after:
        yield "after", _list(map(quote, task.after))
    yield from pod_attributes(task)


def _pod_blocks(program: Service | Task) -> Iterator[Line]:
    for name, attributes in pod_blocks(program):
        yield ""
        yield from _block(name, _aligned(attributes))


def _resources(program: Service | Task, defaults: Service | Task) -> Iterator[Pair]:
    if program.cpu != defaults.cpu:
        yield "cpu", cores(program.cpu)
    if program.memory != defaults.memory:
        yield "memory", quote(normalize_size(program.memory))


def _words(name: str, words: list[str] | None) -> Iterator[Pair]:
    if words is not None:
        yield name, _list(map(quote_word, words))


def _list(literals: Iterable[str]) -> str:
    return f"[{', '.join(literals)}]"


def _port(port: Port) -> Iterator[Pair]:
    yield "number", str(port.number)
    if port.protocol != "tcp":
        yield "protocol", quote(port.protocol)
    if port.outside is not None:
        yield "outside", str(port.outside)


def _route(route: Route) -> Iterator[Pair]:
    yield "path", quote(route.path)
    if route.websocket:
        yield "websocket", "true"


def _volume(volume: Volume) -> Iterator[Pair]:
    yield "path", quote(volume.path)
    if volume.size is not None:
        yield "size", quote(normalize_size(volume.size))
    if volume.ephemeral:
        yield "ephemeral", "true"


def _files(files: Iterable[File]) -> Iterator[Line]:
    for file in files:
        yield ""
        yield from _block(f"file {quote(file.path)}", _aligned(_file(file)))


def _file(file: File) -> Iterator[Pair]:
    if file.content is not None:
        yield "content", block_literal(file.content) or quote_word(file.content)
    if file.secret is not None:
        yield "secret", quote(file.secret)
    if file.mode is not None:
        yield "mode", quote(file.mode)


def _env(env: dict[str, str]) -> Iterator[Line]:
    if not env:
        return
    yield ""
    if all(_IDENTIFIER.fullmatch(name) for name in env):
        yield from _block("env", _aligned((name, _value(value)) for name, value in env.items()))
        return
    # Names that are not identifiers can only be quoted in an object.
    yield "env = {"
    yield from (f"  {line}" for line in _aligned((quote(name), _value(value)) for name, value in env.items()))
    yield "}"


def _value(value: str) -> str:
    """Quote a value. A reference has no escapes, so blanks in it (`${secret(⏎name)}`) are left out."""
    if OPEN in value and not value.isprintable():
        with contextlib.suppress(InvalidValue):  # an invalid value is written unchanged
            value = format_value(parse_value(value))
    return quote_value(value)


def _block(header: str, lines: Iterable[Line]) -> Iterator[Line]:
    yield f"{header} {{"
    yield from (f"  {line}" if line else "" for line in lines)
    yield "}"


def _aligned(pairs: Iterable[Pair]) -> Iterator[Line]:
    """Yield lines with aligned `=`, as `formatter` does: behind a heredoc begins another run."""
    run: list[Pair] = []
    for pair in pairs:
        run.append(pair)
        if "\n" in pair[1]:
            yield from _aligned_run(run)
            run = []
    yield from _aligned_run(run)


def _aligned_run(run: list[Pair]) -> Iterator[Line]:
    width = max((len(name) for name, _ in run), default=0)
    yield from (f"{name.ljust(width)} = {value}" for name, value in run)
