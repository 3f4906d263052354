"""A MillDeployment, with the events of its rollouts."""

from dataclasses import dataclass, field
from typing import Any

from mill_api.events import Event, Standing, rollout_events, rollout_id, standing
from mill_api.status import MillDeploymentStatus
from mill_api.status_reading import read_status
from mill_gateway.core.ownership import managers_of
from mill_objects import fields
from mill_objects.fields import Unreadable
from mill_objects.json import JsonView
from mill_objects.key import Key

METADATA = ("name", "namespace", "uid", "generation", "labels", "annotations", "creationTimestamp", "deletionTimestamp")


@dataclass(slots=True)
class Deployment:
    """A MillDeployment. What streams need of it is worked out once, however many there are."""

    key: Key
    uid: str
    resource_version: str
    metadata: dict[str, Any]
    spec: dict[str, Any]
    raw_status: dict[str, Any]
    _status: MillDeploymentStatus | None = None
    _events: dict[tuple[str, bool, str | None], list[tuple[Event, bytes]]] = field(default_factory=dict)

    @property
    def rollout_id(self) -> str:
        """Return which rollout it asks for."""
        return rollout_id(self.metadata)

    @property
    def status(self) -> MillDeploymentStatus:
        """Return its status, as far as it can be read."""
        if self._status is None:
            self._status = read_status(self.raw_status)
        return self._status

    @property
    def services(self) -> list[JsonView]:
        """Return the services that it asks for, each with a name, as they stand in its spec."""
        return [each for each in fields.mappings(self.spec, "services") if fields.text(each, "name")]

    @property
    def tasks(self) -> list[JsonView]:
        """Return the tasks that it has, each with a name, as they stand in its spec."""
        return [each for each in fields.mappings(self.spec, "tasks") if fields.text(each, "name")]

    def has_service(self, name: str) -> bool:
        """Tell whether it asks for a service of that name."""
        return any(each["name"] == name for each in self.services)

    def replicas(self, name: str) -> int:
        """Return how many replicas a service is to have: as the operator knows, whoever else scales it."""
        for judged in self.status.services:
            if judged.name == name:
                return judged.replicas.desired
        for asked in self.services:
            if asked["name"] == name:
                return fields.number(asked, "replicas", 1)
        return 0

    def events(self, rollout: str, *, full: bool, only: str | None = None) -> list[tuple[Event, bytes]]:
        """Return a rollout's events so far, of all services or of one, with their bytes.

        Kept are those of rollouts that the status tells of: of others there may be as many as clients make up.
        """
        events = self._events.get((rollout, full, only))
        if events is None:
            made = rollout_events(self.uid, rollout, self.metadata, self.status, full=full, only=only)
            events = [(event, event.encode()) for event in made]
            if standing(rollout, self.metadata, self.status) is Standing.RECORDED:
                self._events[rollout, full, only] = events
        return events


def project_deployment(body: JsonView) -> Deployment:
    """Take what we need from a MillDeployment. Raises `Unreadable`."""
    known, meta, spec, status = fields.identity(body), *fields.parts(body)
    if fields.optional_number(meta, "generation") is None:
        raise Unreadable("no metadata.generation")
    return Deployment(
        key=known.key,
        uid=known.uid,
        resource_version=known.resource_version,
        metadata={name: meta[name] for name in METADATA if name in meta} | {"managers": managers_of(meta)},
        spec=dict(spec),
        raw_status=dict(status),
    )
