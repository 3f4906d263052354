"""The rules of a spec: every breach of `constraints`, and of what no schema can express, at its place.

The latter are rules across services and inside of texts. Pure functions of a spec: the `.mill` parser applies them, and
the operator does to resources that were written by other means.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from mill_api import names
from mill_api.check_rules import check_breaches
from mill_api.constraints import (
    DEFAULT_INTERVAL,
    DURATION,
    HOST_NAME,
    IMAGE,
    MAX_AFTER,
    MAX_PORTS,
    MAX_ROLLOUT_TASKS,
    MAX_ROUTES,
    MAX_SERVICES,
    MAX_TASKS,
    MAX_VOLUMES,
    PORT_NAME,
    SECRET_NAME,
    SERVICE_NAME,
    SETTLE,
    START,
    TASK_NAME,
    VOLUME_NAME,
    TextRule,
    shown,
)
from mill_api.dependencies import rings
from mill_api.durations import is_longer
from mill_api.endpoints import endpoint_of
from mill_api.file_rules import content_bytes, file_breaches
from mill_api.mount_paths import refuse_volume
from mill_api.place_rules import PlaceProblem, place_problems
from mill_api.pod_permissions import PodPermissions
from mill_api.ports import MAIN, outside_services
from mill_api.reference_advice import advise
from mill_api.references import (
    ESCAPED_OPEN,
    OPEN,
    Attribute,
    InvalidValue,
    Literal,
    Part,
    SecretRef,
    ServiceRef,
    broken_references,
    parse_value,
    parse_word,
)
from mill_api.schedule_rules import schedule_breaches
from mill_api.service_rules import SERVICE_RULES
from mill_api.spec import MillDeploymentSpec, Service, Task, Volume

_ENV_NAME: Final = re.compile(names.ENV_NAME)
_URL_PATH: Final = re.compile(r"/[-A-Za-z0-9._~!$&'()*+,;=:@%/]*")
"""RFC 3986, section 3.3. Ingress controllers write the path of a route into their configuration: a blank, a quotation
mark, a brace or a newline could end it there, and begin what its author may not write."""

MAX_TEXT_BYTES: Final = 512 * 1024
"""Bytes of the environments, commands, arguments and files of all services and tasks together, in UTF-8. A
MillDeployment is one object of the API server, which accepts 1.5 MiB, and each of its Deployments is another."""
MAX_REFERENCES: Final = 1000
_NO_TIME: Final = timedelta(0)
"""References in the environment and the arguments of one service or task. Each may become a variable of its own."""
_FILE_FORMS: Final = "write ${service.NAME.address}, .host, .port or .url; $${…} stands for the text ${…}"
_FORMS: Final = "write ${secret(NAME)}, or ${service.NAME.address}, .host, .port or .url"


@dataclass(frozen=True, slots=True)
class Problem:
    """A breach of a rule: its place, and what to do about it. `str` is the line that people read."""

    path: str
    message: str
    help: str | None = None
    others: tuple[str, ...] = ()
    """The paths of other places that explain it, such as the first of two definitions."""
    absent: tuple[str, ...] = ()
    """The paths of which one is missing, if that is the problem: a caller may know why it is."""
    wire: str | None = None
    """The original's message, where it is another: clients of the gateway read it."""
    meant: str | None = None
    """What was probably meant."""

    def __str__(self) -> str:
        meant = f"; did you mean {self.meant}?" if self.meant is not None else ""
        return f"{self.path}: {self.message}{meant}"


def problems(spec: MillDeploymentSpec) -> list[Problem]:
    """Return all problems of a spec, services first, in the order of the file."""
    return list(_check(spec))


def unpermitted(spec: MillDeploymentSpec, permissions: PodPermissions, *, restricted: bool) -> list[Problem]:
    """Return what a spec has that the settings of its cluster do not permit."""
    found: list[Problem] = []
    for service in spec.services:
        found += _at(f"service.{service.name}", permissions.refusals(service, restricted=restricted))
    for task in spec.tasks:
        found += _at(f"task.{task.name}", permissions.refusals(task, restricted=restricted))
    return found


def _at(path: str, found: Iterable[PlaceProblem]) -> Iterator[Problem]:
    for each in found:
        others, absent = (tuple(f"{path}.{name}" for name in names) for names in (each.others, each.absent))
        yield Problem(f"{path}.{each.path}", each.message, each.suggestion, others, absent)


def _check(spec: MillDeploymentSpec) -> Iterator[Problem]:
    services = {service.name: service for service in reversed(spec.services)}
    for service in spec.services:
        path = f"service.{service.name}"
        yield from _check_text(path, SERVICE_NAME, service.name)
        yield from _check_text(f"{path}.image", IMAGE, service.image)
        yield from _check_env(path, service, services)
        yield from _check_args(path, service, services)
        yield from _check_files(path, service, service.volumes, services)
        yield from _check_fields_of_service(path, service)
        yield from _check_times(path, service)
        yield from _check_counts(path, service)
        yield from _check_names(f"{path}.after", service.after, services)
        yield from _at(path, place_problems(service))
    for task in spec.tasks:
        path = f"task.{task.name}"
        yield from _check_text(path, TASK_NAME, task.name)
        yield from _check_text(f"{path}.image", IMAGE, task.image)
        yield from _check_env(path, task, services)
        yield from _check_args(path, task, services)
        yield from _check_files(path, task, (), services)
        yield from _check_text(f"{path}.timeout", DURATION, task.timeout)
        yield from _check_order(path, task, services)
        for breach in schedule_breaches(task):
            absent = tuple(f"{path}.{each}" for each in breach.absent)
            yield Problem(f"{path}.{breach.path}", breach.message, breach.suggestion, absent=absent)
        yield from _at(path, place_problems(task))
    yield from _check_shared(spec)
    yield from _check_outside(spec)
    yield from _check_rings(spec)
    yield from _check_size(spec)
    if len(spec.services) > MAX_SERVICES:
        extra = spec.services[MAX_SERVICES].name
        yield Problem(f"service.{extra}", f"more than {MAX_SERVICES} services", "split the file in two")
    if len(spec.tasks) > MAX_TASKS:
        extra = spec.tasks[MAX_TASKS].name
        yield Problem(f"task.{extra}", f"more than {MAX_TASKS} tasks", "split the file in two")
    ordered = [task for task in spec.tasks if task.before or task.after]
    if len(ordered) > MAX_ROLLOUT_TASKS:
        extra, kind = ordered[MAX_ROLLOUT_TASKS].name, "before" if ordered[MAX_ROLLOUT_TASKS].before else "after"
        message = f"more than {MAX_ROLLOUT_TASKS} tasks with `before` or `after`"
        yield Problem(f"task.{extra}.{kind}", message, "let one task do the work of several")


def _check_text(path: str, rule: TextRule, text: str) -> Iterator[Problem]:
    refusal = rule.refuse(text)
    if refusal is not None:
        yield Problem(path, refusal.message, refusal.suggestion)


def _check_times(path: str, service: Service) -> Iterator[Problem]:
    health, update = service.health, service.update
    if health is not None:
        if health.interval != DEFAULT_INTERVAL:
            yield from _check_text(f"{path}.health.interval", DURATION, health.interval)
        if health.start is not None:
            yield from _check_text(f"{path}.health.start", START, health.start)
    if update is not None and update.settle is not None:
        yield from _check_text(f"{path}.update.settle", SETTLE, update.settle)
    for breach in check_breaches(service):
        others, absent = (tuple(f"{path}.{each}" for each in paths) for paths in (breach.others, breach.absent))
        yield Problem(f"{path}.{breach.path}", breach.message, breach.suggestion, others, absent)


def _check_counts(path: str, service: Service) -> Iterator[Problem]:
    counted: tuple[tuple[str, Sequence[str], int], ...] = (
        ("port", [each.name for each in service.ports], MAX_PORTS),
        ("route", [each.host for each in service.routes], MAX_ROUTES),
        ("volume", [each.name for each in service.volumes], MAX_VOLUMES),
    )
    for kind, labels, most in counted:
        if len(labels) > most:
            yield Problem(f"{path}.{kind}.{labels[most]}", f"more than {most} {kind}s", "split the service in two")


def _check_order(path: str, task: Task, services: dict[str, Service]) -> Iterator[Problem]:
    """Report what is wrong with the place of a task in a rollout."""
    yield from _check_names(f"{path}.before", task.before, services)
    yield from _check_names(f"{path}.after", task.after, services)
    if task.before and task.after:
        message, advice = "a task runs before services or after some", "keep one of both, or write two tasks"
        yield Problem(f"{path}.after", message, advice, (f"{path}.before",))
    kind = "before" if task.before else "after"
    if (task.before or task.after) and DURATION.refuse(task.timeout) is None and not is_longer(task.timeout, _NO_TIME):
        message = f"a task with `{kind}` needs a time limit: a rollout waits for it"
        yield Problem(f"{path}.timeout", message, 'write the longest time that it takes: "1h"', (f"{path}.{kind}",))


def _check_names(path: str, names: Sequence[str], services: dict[str, Service]) -> Iterator[Problem]:
    """Report names of services that are named twice, unknown or too many."""
    first: dict[str, str] = {}
    for index, name in enumerate(names[:MAX_AFTER]):
        where = f"{path}.{index}"
        earlier = first.setdefault(name, where)
        if earlier != where:
            yield Problem(where, f"'{shown(name)}' is named twice", "name it once", (earlier,))
        elif name not in services:
            yield Problem(where, f"unknown service '{shown(name)}'", absent=(f"service.{name}",))
    if len(names) > MAX_AFTER:
        advice = "name only those that it needs directly"
        yield Problem(path, f"more than {MAX_AFTER} services", advice)


def _check_rings(spec: MillDeploymentSpec) -> Iterator[Problem]:
    """Report services that start after one another in a ring: none of them could start."""
    after = {each.name: each.after[:MAX_AFTER] for each in spec.services}
    for ring in rings(after):
        places = [f"service.{name}.after.{after[name].index(other)}" for name, other in itertools.pairwise(ring)]
        message = f"services start after one another in a ring: {' → '.join(map(shown, ring))}"
        yield Problem(places[0], message, "remove one of these names from `after`", tuple(places[1:]))


def _check_env(path: str, program: Service | Task, services: dict[str, Service]) -> Iterator[Problem]:
    for key, value in program.env.items():
        where = f"{path}.env.{key}"
        if not _ENV_NAME.fullmatch(key):
            advice = "use letters, digits, _, - and ., and do not begin with a digit"
            yield Problem(where, f"'{shown(key)}' is not the name of an environment variable", advice)
        if OPEN in value:
            yield from _check_references(where, value, services)
    count = sum(value.count(OPEN) - value.count(ESCAPED_OPEN) for value in program.env.values())
    if count > MAX_REFERENCES:
        advice = "put values that belong together into one secret"
        yield Problem(path, f"its environment has {count:,} references, more than {MAX_REFERENCES:,}", advice)


def _check_args(path: str, program: Service | Task, services: dict[str, Service]) -> Iterator[Problem]:
    """Check references in arguments. What is none in a command is text: release 0.1.0 had no references there."""
    parsed = [parse_word(word) for word in program.command or () if OPEN in word]
    for index, word in enumerate(program.args or ()):
        if OPEN not in word:
            continue
        where = f"{path}.args.{index}"
        parsed.append(parse_word(word))
        for error in broken_references(word):
            yield _broken(where, error, "$${…} stands for the text ${…}")
            break
        else:
            yield from _check_parts(where, parsed[-1], services)
    count = sum(not isinstance(part, Literal) for parts in parsed for part in parts)
    if count > MAX_REFERENCES:
        message = f"its command has {count:,} references, more than {MAX_REFERENCES:,}"
        yield Problem(path, message, "put values that belong together into one secret")


def _check_files(
    path: str, program: Service | Task, volumes: Sequence[Volume], services: dict[str, Service]
) -> Iterator[Problem]:
    for breach in file_breaches(program.files, volumes):
        others, absent = (tuple(f"{path}.{each}" for each in paths) for paths in (breach.others, breach.absent))
        yield Problem(f"{path}.{breach.path}", breach.message, breach.suggestion, others, absent)
    count = 0
    for file in program.files:
        if file.content is None or OPEN not in file.content:
            continue
        where = f"{path}.file.{file.path}.content"
        for error in broken_references(file.content):
            yield Problem(where, str(error), _FILE_FORMS)
            break
        else:
            parts = [part for part in parse_word(file.content) if isinstance(part, ServiceRef)]
            yield from _check_parts(where, dict.fromkeys(parts), services)
            count += len(parts)
    if count > MAX_REFERENCES:
        message = f"its files have {count:,} references, more than {MAX_REFERENCES:,}"
        yield Problem(path, message, "put values that belong together into one variable of `env`")


def _check_references(where: str, value: str, services: dict[str, Service]) -> Iterator[Problem]:
    try:
        parts = parse_value(value)
    except InvalidValue as error:
        yield _broken(where, error, "$${ stands for a literal ${")
        return
    yield from _check_parts(where, parts, services)


def _broken(where: str, error: InvalidValue, escape: str) -> Problem:
    """Return the problem of a reference that cannot be read."""
    advice = None if error.expression is None else advise(error.expression)
    if advice is None:
        return Problem(where, str(error), f"{_FORMS}; {escape}", wire=error.wire)
    return Problem(where, str(error), advice.help, wire=error.wire, meant=advice.meant)


def _check_parts(where: str, parts: Iterable[Part], services: dict[str, Service]) -> Iterator[Problem]:
    for part in parts:
        match part:
            case SecretRef(name) if (refusal := SECRET_NAME.refuse(name)) is not None:
                bare = name.strip("\"'")
                is_quoted = SECRET_NAME.refuse(bare) is None
                advice = f"write it without quotes: ${{secret({bare})}}" if is_quoted else refusal.suggestion
                yield Problem(where, refusal.message, advice)
            case ServiceRef(name) if name not in services:
                yield Problem(where, f"unknown service reference '{shown(name)}'", absent=(f"service.{name}",))
            case ServiceRef(name, _, str() as port):
                if port not in {each.name for each in services[name].ports}:
                    yield _unknown_port(where, services[name], port)
            case ServiceRef(name, attribute) if not _has(services[name], attribute):
                other = f"service.{name}"
                what = "port" if attribute is Attribute.PORT else "address"
                message = f"service '{name}' has no {what}"
                advice = f"give '{name}' a port"
                if services[name].ports:
                    advice = f"give '{name}' a main port: `port = …`; or name one: ${{service.{name}.PORT.{attribute}}}"
                yield Problem(where, message, advice, (other,), absent=(f"{other}.port",))
            case ServiceRef(name, Attribute.URL) if endpoint_of(services[name]).url is None:
                other = f"service.{name}"
                advice = f"give '{name}' a route whose host has no *, or write ${{service.{name}.address}}"
                yield Problem(where, f"service '{name}' has no URL", advice, (other,), absent=(f"{other}.route",))


def _has(service: Service, attribute: Attribute) -> bool:
    """Return whether a service has what an attribute needs: any port for its host, else the main one."""
    return service.port is not None or (attribute is Attribute.HOST and bool(service.ports))


def _unknown_port(where: str, service: Service, port: str) -> Problem:
    from difflib import get_close_matches  # noqa: PLC0415 - it takes a while to load

    other = f"service.{service.name}"
    known = [each.name for each in service.ports]
    near = get_close_matches(port[: PORT_NAME.max_length], known, 1)
    advice = f'declare it: port "{shown(port)}" {{ number = … }}'
    if port == MAIN:
        advice = f"write ${{service.{service.name}.port}} for the main port"
    elif near:
        advice = f"did you mean `{near[0]}`?"
    elif known:
        advice = f"its named {'port is' if len(known) == 1 else 'ports are'} {', '.join(map(shown, known))}"
    message = f"service '{service.name}' has no port '{shown(port)}'"
    return Problem(where, message, advice, (other,), absent=(f"{other}.port.{port}",))


def _check_outside(spec: MillDeploymentSpec) -> Iterator[Problem]:
    """Report services that have the name of another one's Service of the type LoadBalancer."""
    names_of = {each.name: f"service.{each.name}" for each in spec.services}
    for service in spec.services:
        for outside in outside_services(service.name, service.ports):
            if outside.name in names_of:
                where = f"service.{service.name}.port.{outside.ports[0].name}.outside"
                message = f"'{outside.name}' is the name of another service, and of the Service with this port"
                yield Problem(where, message, "rename the other service", (names_of[outside.name],))


def _check_size(spec: MillDeploymentSpec) -> Iterator[Problem]:
    """Limit the cost of reading one MillDeployment. The place is that of the largest service or task."""
    sizes = [(_text_bytes(each), f"service.{each.name}") for each in spec.services]
    sizes += [(_text_bytes(each), f"task.{each.name}") for each in spec.tasks]
    total = sum(size for size, _ in sizes)
    if total > MAX_TEXT_BYTES:
        largest, path = max(sizes, key=lambda each: each[0])
        yield Problem(
            path,
            f"the environments, commands, arguments and files of all services and tasks have {total:,} bytes, "
            f"{largest:,} of them here; the limit is {MAX_TEXT_BYTES:,}",
            "put large texts into the image or a volume, or split the file in two",
        )


def _text_bytes(program: Service | Task) -> int:
    words = (*(program.command or ()), *(program.args or ()))
    texts = itertools.chain(program.env.keys(), program.env.values(), words)
    bytes_of_texts = (len(each) if each.isascii() else len(each.encode("utf-8", "surrogatepass")) for each in texts)
    return sum(bytes_of_texts) + sum(map(content_bytes, program.files))


def _check_fields_of_service(path: str, service: Service) -> Iterator[Problem]:
    for rule in SERVICE_RULES:
        for breach in rule.breaches(service):
            absent = tuple(f"{path}.{each}" for each in breach.absent)
            others = tuple(f"{path}.{each}" for each in breach.others)
            yield Problem(f"{path}.{breach.path}", rule.message, rule.suggestion, others, absent)
    for port in service.ports:
        yield from _check_text(f"{path}.port.{port.name}", PORT_NAME, port.name)
    for volume in service.volumes:
        yield from _check_text(f"{path}.volume.{volume.name}", VOLUME_NAME, volume.name)
        if (refusal := refuse_volume(volume.path)) is not None:
            yield Problem(f"{path}.volume.{volume.name}.path", refusal, "mount it at another path, such as /data")
    for route in service.routes:
        yield from _check_text(f"{path}.route.{route.host}", HOST_NAME, route.host)
        if not _URL_PATH.fullmatch(route.path):
            advice = "use letters, digits and signs such as -._~ and /; write other characters in hex, such as %20"
            message = f"{shown(route.path)!r} is not the path of a URL"
            yield Problem(f"{path}.route.{route.host}.path", message, advice)


def _check_shared(spec: MillDeploymentSpec) -> Iterator[Problem]:
    """Report volumes and routes that two services have, or one service twice."""
    volumes: dict[str, str] = {}
    routes: dict[tuple[str, str], str] = {}
    for service in spec.services:
        paths: dict[str, str] = {}
        for volume in service.volumes:
            where = f"service.{service.name}.volume.{volume.name}"
            first = None if volume.ephemeral else volumes.setdefault(volume.name, where)
            if first is not None and first != where:
                owner = first.split(".")[1]
                yield Problem(
                    where,
                    f"volume '{volume.name}' belongs to service '{owner}'",
                    "give one of them another name",
                    (first,),
                )
            earlier = paths.setdefault(volume.path.rstrip("/"), where)
            if earlier != where:
                message = f"another volume is mounted at '{volume.path}'"
                yield Problem(f"{where}.path", message, "mount it at another path", (f"{earlier}.path",))
        for route in service.routes:
            where = f"service.{service.name}.route.{route.host}"
            taken = routes.setdefault((route.host, route.path.rstrip("/")), where)
            if taken != where:
                owner = taken.split(".")[1]
                message = f"'{route.host}{route.path}' already leads to service '{owner}'"
                yield Problem(where, message, "give one of them another host name or path", (taken,))
