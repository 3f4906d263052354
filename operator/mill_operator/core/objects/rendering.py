"""One generation of a MillDeployment → its desired state, a service or task at a time.

Kept between reconciliations is `DesiredState`: which objects, and the hash of each. Their content is made twice: for
the hash, when the input of a service has changed, and again for the objects that are written.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

from mill_api.dependencies import Dependencies, dependencies, named_services
from mill_api.endpoints import Endpoint, endpoint
from mill_api.environment import addresses
from mill_api.owner import Owner
from mill_api.spec import MillDeploymentSpec, Service, Task
from mill_objects import fields
from mill_objects.json import Json, JsonView
from mill_operator.core.internal_errors import InternalError, internal_error_of
from mill_operator.core.objects.desired import (
    ChildObject,
    Recipe,
    RenderedObject,
    service_recipes,
    task_recipes,
    wanted,
)
from mill_operator.core.objects.pods import DEFAULTS, RenderOptions
from mill_operator.core.objects.service import DesiredService, ServiceRequest
from mill_operator.core.objects.tls import tls_secret
from mill_operator.core.rollout_tasks.desired import DesiredRolloutTask, desired_rollout_tasks

_REFERENCE = "${service."
"""The beginning of a reference in a text that depends on the endpoints of other services."""


@dataclass(frozen=True, slots=True)
class Part:
    """The desired objects of one service or task."""

    name: str
    fingerprint: bytes
    """Hash of the input of its objects: while it is the same, so are they."""
    size: int
    """Characters of that input. The cost of rendering the objects grows with it."""
    children: tuple[ChildObject, ...]
    wanted: DesiredService | None
    """The service, as verdicts need it; None for a task."""
    internal_error: InternalError | None = None
    """Why it, or one of its objects, could not be rendered: its existing objects stay as they are."""
    addresses: tuple[str, ...] = ()
    """The services whose addresses its environment and its command have, its own included."""

    @property
    def program(self) -> tuple[str, str]:
        """Its kind and name, as ("service" or "task", name)."""
        return ("task" if self.wanted is None else "service", self.name)

    def with_dependencies(self, found: Dependencies | None) -> Self:
        """Return it with what its service depends on. That is no part of its input: it changes with other services."""
        if self.wanted is None or found is None:
            return self
        wanted = replace(self.wanted, refers_to=found.refers_to, after=found.after)
        return self if wanted == self.wanted else replace(self, wanted=wanted)

    def with_internal_error(self, internal_error: InternalError) -> Self:
        """Return it as one that could not be rendered."""
        wanted = None if self.wanted is None else replace(self.wanted, internal_error=internal_error)
        return replace(self, wanted=wanted, internal_error=internal_error)


@dataclass(frozen=True, slots=True)
class DesiredState:
    """The objects that should exist, without their content: services first, then tasks, in the order of the file."""

    parts: tuple[Part, ...]
    rollout_tasks: tuple[DesiredRolloutTask, ...] = ()
    """The tasks that run in rollouts."""

    @property
    def children(self) -> tuple[ChildObject, ...]:
        """The objects, without those of services and tasks that could not be rendered."""
        return tuple(child for part in self.parts if part.internal_error is None for child in part.children)

    @property
    def services(self) -> tuple[DesiredService, ...]:
        """The desired services, those that could not be rendered included."""
        return tuple(part.wanted for part in self.parts if part.wanted is not None)

    @property
    def tasks(self) -> Mapping[str, InternalError]:
        """The tasks that could not be rendered."""
        return {
            part.name: part.internal_error
            for part in self.parts
            if part.wanted is None and part.internal_error is not None
        }

    @property
    def unrendered(self) -> frozenset[tuple[str, str]]:
        """The services and tasks that could not be rendered, as ("service" or "task", name)."""
        return frozenset(part.program for part in self.parts if part.internal_error is not None)

    @property
    def addresses(self) -> Mapping[tuple[str, str], Collection[str]]:
        """The services whose addresses a service or task has, by `Part.program`."""
        return {part.program: part.addresses for part in self.parts if part.addresses}

    def with_templates(self, templates: Mapping[str, str]) -> "DesiredState":
        """Return it with other pod templates, by service: those with which their pods are compared."""
        if not templates:
            return self
        parts = (
            replace(part, wanted=replace(part.wanted, template=templates[part.name]))
            if part.wanted is not None and part.name in templates
            else part
            for part in self.parts
        )
        return replace(self, parts=tuple(parts))

    def with_internal_errors(self, internal_errors: Mapping[tuple[str, str], InternalError]) -> "DesiredState":
        """Return it with internal errors of services and tasks, by `Part.program`."""
        if not internal_errors:
            return self
        parts = (
            part.with_internal_error(internal_errors[part.program]) if part.program in internal_errors else part
            for part in self.parts
        )
        return replace(self, parts=tuple(parts))


@dataclass(frozen=True, slots=True)
class InvalidSpec:
    """A spec that is refused: there is no desired state."""

    reason: str
    """A line for each problem."""


class _Dependent(NamedTuple):
    """What `dependencies` reads of a service or task."""

    name: str
    env: Mapping[str, str]
    command: Sequence[str] | None
    args: Sequence[str] | None
    contents: Sequence[str]
    after: Sequence[str]


class ParsedSpec:
    """The parsed spec of one generation, from which objects are rendered. Not kept: it is as large as all of them.

    `spec` is one that `MillDeploymentSpec` accepts. `restarts` has a value for each service that was ever restarted on
    request. `former_tls` are the services that keep the former name of their TLS Secret.
    """

    def __init__(
        self,
        owner: Owner,
        spec: Json,
        restarts: Mapping[str, str],
        options: RenderOptions = DEFAULTS,
        former_tls: Collection[str] = (),
    ) -> None:
        self._owner = owner
        self._restarts = restarts
        self._options = options
        self._former_tls = former_tls
        self._services: dict[str, Json] = {each["name"]: each for each in spec.get("services") or ()}
        self._tasks: dict[str, Json] = {each["name"]: each for each in spec.get("tasks") or ()}
        self._endpoints = {name: _endpoint(each) for name, each in self._services.items()}

    @property
    def deployment(self) -> str:
        """The MillDeployment's name."""
        return self._owner.key.name

    def desired(self, before: DesiredState | None = None) -> DesiredState:
        """Return the desired state. A part with the same input is taken from `before`, unless it could not be rendered.

        An unexpected error concerns one service or task alone: the others are rendered.
        """
        sound = (part for part in before.parts if part.internal_error is None) if before is not None else ()
        known = {part.fingerprint: part for part in sound}
        depends_on = self._dependencies()
        parts = []
        for service, each in self._each():
            fingerprint, size = self._fingerprint(each, service=service)
            part = known.get(fingerprint)
            if part is None:
                try:
                    part = self._part(each, fingerprint, size, service=service)
                except Exception as error:  # noqa: BLE001 - any error is of this part alone
                    part = _unrendered(each, fingerprint, size, internal_error_of(error), service=service)
            parts.append(part.with_dependencies(depends_on.get(part.name) if service else None))
        tasks = [each for each in self._tasks.values() if each.get("before") or each.get("after")]
        named = {
            each["name"]: named_services(_dependent(each["name"], each), self._services, self._owner.key.namespace)
            for each in tasks
        }
        return DesiredState(tuple(parts), desired_rollout_tasks(tasks, self._services, depends_on, named))

    def render(self, child: ChildObject) -> RenderedObject:
        """Render one object."""
        if child.service is None:
            recipes = self._task_recipes(Task.model_validate(self._tasks[child.program[1]]))
        else:
            recipes = self._service_recipes(Service.model_validate(self._services[child.service]))
        return next(each for each in recipes if (each.kind, each.name) == (child.kind, child.key.name)).render()

    def _dependencies(self) -> dict[str, Dependencies]:
        services = (_dependent(name, each) for name, each in self._services.items())
        return dependencies(services, self._owner.key.namespace)

    def _each(self) -> Iterator[tuple[bool, Json]]:
        yield from ((True, each) for each in self._services.values())
        yield from ((False, each) for each in self._tasks.values())

    def _fingerprint(self, program: Json, *, service: bool) -> tuple[bytes, int]:
        text = json.dumps(program, separators=(",", ":"))
        restart = self._restarts.get(program["name"]) if service else None
        others = [service, restart, self._endpoints if _REFERENCE in text else None]
        if service and program["name"] in self._former_tls:
            others.append("former TLS")
        text = f"{json.dumps(others, separators=(',', ':'))}{text}"
        return hashlib.blake2b(text.encode(), digest_size=16).digest(), len(text)

    def _part(self, program: Json, fingerprint: bytes, size: int, *, service: bool) -> Part:
        if not service:
            task = Task.model_validate(program)
            cron_jobs = tuple(each.render().child for each in self._task_recipes(task))
            return Part(task.name, fingerprint, size, cron_jobs, None, addresses=addresses(task))
        model = Service.model_validate(program)
        deployment, *others = self._service_recipes(model)
        rendered = deployment.render()
        children = (rendered.child, *(each.render().child for each in others))
        known = wanted(model, rendered, self._options)
        return Part(model.name, fingerprint, size, children, known, addresses=addresses(model))

    def _service_recipes(self, service: Service) -> Iterator[Recipe]:
        secret = tls_secret(self._owner, service.name, keeps_former=service.name in self._former_tls)
        restart = self._restarts.get(service.name)
        return service_recipes(self._owner, service, self._endpoints, restart, self._options, secret)

    def _task_recipes(self, task: Task) -> Iterator[Recipe]:
        return task_recipes(self._owner, task, self._endpoints, self._options)


def _dependent(name: str, program: Json) -> _Dependent:
    return _Dependent(
        name,
        program.get("env") or {},
        program.get("command"),
        program.get("args"),
        [file.get("content") or "" for file in program.get("files") or ()],
        program.get("after") or (),
    )


def _endpoint(service: Json) -> Endpoint:
    routes = ((each["host"], each.get("path", "/")) for each in service.get("routes") or ())
    return endpoint(
        service.get("port"), routes, ((each["name"], each["number"]) for each in service.get("ports") or ())
    )


def _unrendered(program: Json, fingerprint: bytes, size: int, internal_error: InternalError, *, service: bool) -> Part:
    name = program["name"]
    known = _as_asked(program, internal_error) if service else None
    return Part(name, fingerprint, size, (), known, internal_error)


def _as_asked(service: Json, internal_error: InternalError) -> DesiredService:
    """Return what is known of a service that could not be rendered."""
    return DesiredService(
        name=service["name"],
        template="",
        replicas=fields.optional_number(service, "replicas"),
        probed=fields.optional_number(service, "port") is not None or _has_check(fields.mapping(service, "health")),
        request=ServiceRequest(fields.text(service, "image"), fields.quantity(service, "memory")),
        internal_error=internal_error,
    )


def _has_check(health: JsonView) -> bool:
    return any(health.get(kind) is not None for kind in ("path", "command", "grpc", "port"))


def desired(
    owner: Owner, spec: MillDeploymentSpec, restarts: Mapping[str, str], options: RenderOptions = DEFAULTS
) -> DesiredState:
    """Return the desired state of a spec."""
    return source(owner, spec, restarts, options).desired()


def source(
    owner: Owner,
    spec: MillDeploymentSpec,
    restarts: Mapping[str, str],
    options: RenderOptions = DEFAULTS,
    former_tls: Collection[str] = (),
) -> ParsedSpec:
    """Return a spec as the source of its objects."""
    return ParsedSpec(owner, spec.to_wire(), restarts, options, former_tls)
