"""A MillDeployment, with the events of its rollouts."""

from dataclasses import dataclass, field
from typing import Any

from mill_api.events import Event, Notice, pause_notices, rollout_events
from mill_api.pausing import is_paused
from mill_api.rollout_ids import Standing, rollout_id, standing
from mill_api.service_status import ServiceStatus
from mill_api.status import MillDeploymentStatus
from mill_api.status_reading import read_status
from mill_api.task_notices import task_notices
from mill_objects import fields
from mill_objects.fields import Unreadable
from mill_objects.json import JsonView
from mill_objects.key import Key

METADATA = ("name", "namespace", "uid", "generation", "labels", "annotations", "creationTimestamp", "deletionTimestamp")


@dataclass(slots=True)
class Deployment:
    """A MillDeployment. The events of its rollouts are encoded once, for any number of streams."""

    key: Key
    uid: str
    resource_version: str
    metadata: dict[str, Any]
    managers: tuple[str, ...]
    """Field managers that have written the resource, each once."""
    spec: dict[str, Any]
    raw_status: dict[str, Any]
    _status: MillDeploymentStatus | None = None
    _events: dict[tuple[str, bool, str | None], list[tuple[Event, bytes]]] = field(default_factory=dict)

    @property
    def rollout_id(self) -> str:
        """Id of the rollout of its current generation."""
        return rollout_id(self.metadata)

    @property
    def is_paused(self) -> bool:
        """Whether the operator does not act on it."""
        return is_paused(self.metadata)

    @property
    def status(self) -> MillDeploymentStatus:
        """Its status, as far as it can be read."""
        if self._status is None:
            self._status = read_status(self.raw_status)
        return self._status

    @property
    def services(self) -> list[JsonView]:
        """The services of its spec that have a name."""
        return [each for each in fields.mappings(self.spec, "services") if fields.text(each, "name")]

    @property
    def tasks(self) -> list[JsonView]:
        """The tasks of its spec that have a name."""
        return [each for each in fields.mappings(self.spec, "tasks") if fields.text(each, "name")]

    def has_service(self, name: str) -> bool:
        """Whether its spec has a service of this name."""
        return any(each["name"] == name for each in self.services)

    def replicas(self, name: str) -> int:
        """Return the desired number of replicas of a service; 0 if there is none of this name."""
        spec = next((each for each in self.services if each["name"] == name), None)
        status = next((each for each in self.status.services if each.name == name), None)
        return 0 if spec is None and status is None else desired_replicas(spec or {}, status)

    def events(self, rollout: str, *, full: bool, only: str | None = None) -> list[tuple[Event, bytes]]:
        """Return the events of a rollout so far with their bytes: of all services, or of `only` one.

        Those of a rollout that the status has are kept. Clients may name any number of other rollouts.
        """
        events = self._events.get((rollout, full, only))
        if events is None:
            made = rollout_events(self.uid, rollout, self.metadata, self.status, full=full, only=only)
            events = [(event, event.encode()) for event in made]
            if standing(rollout, self.metadata, self.status) is Standing.RECORDED:
                self._events[rollout, full, only] = events
        return events

    def pause_notices(self, rollout: str, *, only: str | None = None) -> list[Notice]:
        """Return the notices for the readers of a rollout while the deployment is paused."""
        names = [each["name"] for each in self.services] if self.is_paused else []
        return pause_notices(rollout, self.metadata, names, self.status, only=only)

    def task_notices(self, rollout: str, order: str, *, only: str | None = None) -> list[Notice]:
        """Return the notices for the readers of a rollout about its tasks with an `order`: `before` or `after`.

        With `only` they are about the tasks for which this service waits.
        """
        if not self.status.rollout_tasks or (only is not None and order != "before"):
            return []
        named = self.task_orders(order)
        names = [name for name, services in named.items() if only is None or only in services]
        return task_notices(rollout, names, self.status)

    def task_orders(self, order: str) -> dict[str, list[str]]:
        """Return the services that the tasks of its spec name in an `order`, `before` or `after`: of those with any."""
        named = {each["name"]: _names(each.get(order)) for each in self.tasks}
        return {name: services for name, services in named.items() if services}


def _names(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def desired_replicas(spec: JsonView, status: ServiceStatus | None) -> int:
    """Return the desired replicas of a service: by the operator, which observes scaling by others, else by the spec."""
    return status.replicas.desired if status is not None else fields.number(spec, "replicas", 1)


def project_deployment(body: JsonView) -> Deployment:
    """Return the projection of a MillDeployment. Raises `Unreadable`."""
    known, meta, spec, status = fields.identity(body), *fields.parts(body)
    if fields.optional_number(meta, "generation") is None:
        raise Unreadable("no metadata.generation")
    return Deployment(
        key=known.key,
        uid=known.uid,
        resource_version=known.resource_version,
        metadata={name: meta[name] for name in METADATA if name in meta},
        managers=managers_of(meta),
        spec=dict(spec),
        raw_status=dict(status),
    )


def managers_of(metadata: JsonView) -> tuple[str, ...]:
    """Return the field managers of a resource, each once."""
    return tuple(
        sorted(
            {
                manager
                for each in fields.mappings(metadata, "managedFields")
                if (manager := fields.text(each, "manager"))
            }
        )
    )
