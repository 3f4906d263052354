"""The rules of a spec: every breach of `constraints`, and of what no schema can express, at its place.

The latter are rules across services and inside of texts. Pure functions of a spec: the `.mill` parser applies them, and
the operator does to resources that were written by other means.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Final

from mill_api.check_rules import check_breaches
from mill_api.constraints import DEFAULT_INTERVAL, MAX_PORTS, MAX_ROUTES, MAX_SERVICES, MAX_TASKS, MAX_VOLUMES, shown
from mill_api.file_rules import content_bytes, file_breaches
from mill_api.mount_paths import refuse_volume
from mill_api.order_rules import after_problems, ring_problems, rollout_task_problems, task_order_problems
from mill_api.place_rules import place_problems
from mill_api.pod_permissions import PodPermissions
from mill_api.ports import outside_services
from mill_api.problems import Problem, text_problems, within
from mill_api.reference_rules import argument_problems, env_problems, file_problems
from mill_api.schedule_rules import schedule_breaches
from mill_api.service_rules import SERVICE_RULES
from mill_api.spec import MillDeploymentSpec, Service, Task, Volume
from mill_api.text_rules import (
    DURATION,
    HOST_NAME,
    IMAGE,
    PORT_NAME,
    SERVICE_NAME,
    SETTLE,
    START,
    TASK_NAME,
    VOLUME_NAME,
)

_URL_PATH: Final = re.compile(r"/[-A-Za-z0-9._~!$&'()*+,;=:@%/]*")
"""RFC 3986, section 3.3. Ingress controllers write the path of a route into their configuration: a blank, a quotation
mark, a brace or a newline could end it there, and begin what its author may not write."""

MAX_TEXT_BYTES: Final = 512 * 1024
"""Bytes of the environments, commands, arguments and files of all services and tasks together, in UTF-8. A
MillDeployment is one object of the API server, which accepts 1.5 MiB, and each of its Deployments is another."""


def problems(spec: MillDeploymentSpec) -> list[Problem]:
    """Return all problems of a spec, services first, in the order of the file."""
    return list(_check(spec))


def unpermitted(spec: MillDeploymentSpec, permissions: PodPermissions, *, restricted: bool) -> list[Problem]:
    """Return what a spec has that the settings of its cluster do not permit."""
    found: list[Problem] = []
    for service in spec.services:
        found += within(f"service.{service.name}", permissions.refusals(service, restricted=restricted))
    for task in spec.tasks:
        found += within(f"task.{task.name}", permissions.refusals(task, restricted=restricted))
    return found


def _check(spec: MillDeploymentSpec) -> Iterator[Problem]:
    services = {service.name: service for service in reversed(spec.services)}
    tasks = {task.name for task in spec.tasks}
    for service in spec.services:
        path = f"service.{service.name}"
        yield from text_problems(path, SERVICE_NAME, service.name)
        yield from text_problems(f"{path}.image", IMAGE, service.image)
        yield from env_problems(path, service, services)
        yield from argument_problems(path, service, services)
        yield from _check_files(path, service, service.volumes, services)
        yield from _check_fields_of_service(path, service)
        yield from _check_times(path, service)
        yield from _check_counts(path, service)
        yield from after_problems(path, service, services, tasks)
        yield from within(path, place_problems(service))
    for task in spec.tasks:
        path = f"task.{task.name}"
        yield from text_problems(path, TASK_NAME, task.name)
        yield from text_problems(f"{path}.image", IMAGE, task.image)
        yield from env_problems(path, task, services)
        yield from argument_problems(path, task, services)
        yield from _check_files(path, task, (), services)
        yield from text_problems(f"{path}.timeout", DURATION, task.timeout)
        yield from task_order_problems(path, task, services)
        yield from within(path, schedule_breaches(task))
        yield from within(path, place_problems(task))
    yield from _check_shared(spec)
    yield from _check_outside(spec)
    yield from ring_problems(spec)
    yield from _check_size(spec)
    if len(spec.services) > MAX_SERVICES:
        extra = spec.services[MAX_SERVICES].name
        yield Problem(f"service.{extra}", f"more than {MAX_SERVICES} services", "split the file in two")
    if len(spec.tasks) > MAX_TASKS:
        extra = spec.tasks[MAX_TASKS].name
        yield Problem(f"task.{extra}", f"more than {MAX_TASKS} tasks", "split the file in two")
    yield from rollout_task_problems(spec)


def _check_times(path: str, service: Service) -> Iterator[Problem]:
    health, update = service.health, service.update
    if health is not None:
        if health.interval != DEFAULT_INTERVAL:
            yield from text_problems(f"{path}.health.interval", DURATION, health.interval)
        if health.start is not None:
            yield from text_problems(f"{path}.health.start", START, health.start)
    if update is not None and update.settle is not None:
        yield from text_problems(f"{path}.update.settle", SETTLE, update.settle)
    yield from within(path, check_breaches(service))


def _check_counts(path: str, service: Service) -> Iterator[Problem]:
    counted: tuple[tuple[str, Sequence[str], int], ...] = (
        ("port", [each.name for each in service.ports], MAX_PORTS),
        ("route", [each.host for each in service.routes], MAX_ROUTES),
        ("volume", [each.name for each in service.volumes], MAX_VOLUMES),
    )
    for kind, labels, most in counted:
        if len(labels) > most:
            yield Problem(f"{path}.{kind}.{labels[most]}", f"more than {most} {kind}s", "split the service in two")


def _check_files(
    path: str, program: Service | Task, volumes: Sequence[Volume], services: dict[str, Service]
) -> Iterator[Problem]:
    yield from within(path, file_breaches(program.files, volumes))
    yield from file_problems(path, program, services)


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
        for where, absent, others in rule.breaches(service):
            yield from within(path, (Problem(where, rule.message, rule.suggestion, others, absent),))
    for port in service.ports:
        yield from text_problems(f"{path}.port.{port.name}", PORT_NAME, port.name)
    for volume in service.volumes:
        yield from text_problems(f"{path}.volume.{volume.name}", VOLUME_NAME, volume.name)
        if (refusal := refuse_volume(volume.path)) is not None:
            yield Problem(f"{path}.volume.{volume.name}.path", refusal, "mount it at another path, such as /data")
    for route in service.routes:
        yield from text_problems(f"{path}.route.{route.host}", HOST_NAME, route.host)
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
