"""MillDeployments as the API server has them, without what the operator does not need."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mill_api import names
from mill_api.owner import Owner
from mill_api.pausing import is_paused
from mill_api.rollout_ids import rollout_id
from mill_objects import fields
from mill_objects.fields import Unreadable
from mill_objects.key import Key
from mill_operator.core import limits
from mill_operator.core.digest import digest
from mill_operator.core.packed import NOTHING, Packed


@dataclass(frozen=True, slots=True)
class ObservedMillDeployment:
    """A MillDeployment as the API server has it."""

    key: Key
    uid: str
    resource_version: str
    generation: int
    created: datetime
    rollout_id: str
    restarts: frozenset[tuple[str, str]]
    """The services that were restarted on request: the name, and a value that changes with each request."""
    terminating: bool
    paused: bool
    packed_spec: Packed
    packed_status: Packed

    @property
    def spec(self) -> dict[str, Any]:
        """The spec, unpacked at each access."""
        spec: dict[str, Any] = self.packed_spec.value()
        return spec

    @property
    def status(self) -> dict[str, Any]:
        """The status, unpacked at each access."""
        status: dict[str, Any] = self.packed_status.value()
        return status

    @property
    def owner(self) -> Owner:
        """The owner of the child objects."""
        return Owner(self.key, self.uid)

    @property
    def requests(self) -> tuple[object, ...]:
        """The fields whose change makes a reconciliation necessary. The operator's own status writes change none."""
        return (self.uid, self.rollout_id, self.restarts, self.terminating, self.paused)


def project_mill_deployment(
    body: Mapping[str, Any], known: ObservedMillDeployment | None = None
) -> ObservedMillDeployment:
    """Return the projection of a MillDeployment. Raise `Unreadable`.

    `known` is the one in the cache: most changes leave the spec, so that it need not be packed again.
    """
    identity, meta = fields.identity(body), fields.mapping(body, "metadata")
    generation = fields.optional_number(meta, "generation")
    if generation is None:
        raise Unreadable("no metadata.generation")
    terminating = fields.deleted(body)
    spec = fields.mapping(body, "spec")
    if terminating:  # the operator makes nothing for it any more, however long it stays
        packed_spec = packed_status = NOTHING
    else:
        same = known is not None and (known.uid, known.generation) == (identity.uid, generation)
        packed_spec = known.packed_spec if known is not None and same else Packed.of(spec)
        packed_status = Packed.of(fields.mapping(body, "status"))
    return ObservedMillDeployment(
        key=identity.key,
        uid=identity.uid,
        resource_version=identity.resource_version,
        generation=generation,
        created=fields.created(body),
        rollout_id=rollout_id(meta),
        restarts=frozenset(_restarts(fields.texts(meta, "annotations"), spec)),
        terminating=terminating,
        paused=is_paused(meta),
        packed_spec=packed_spec,
        packed_status=packed_status,
    )


def _restarts(annotations: Mapping[str, str], spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the services to restart: only services of the spec, and no value without a bound."""
    requested = {
        name.removeprefix(names.RESTART_PREFIX): value
        for name, value in annotations.items()
        if name.startswith(names.RESTART_PREFIX)
    }
    if not requested:
        return
    for service in fields.mappings(spec, "services"):
        name = fields.text(service, "name")
        if (value := requested.get(name)) is not None:
            yield name, value if len(value) <= limits.RESTART_LENGTH else digest(value)
