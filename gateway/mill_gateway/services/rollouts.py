"""Rollouts that clients follow: by the answer to a write, or by an event id of an earlier stream."""

from dataclasses import dataclass

from mill_api.events import qualified_id, short_uid
from mill_api.rollout_ids import Standing, forgotten, rollout_id, standing
from mill_gateway.exceptions.deployments import (
    DeploymentDeleted,
    DeploymentNotFound,
    RolloutExpired,
    RolloutNotFound,
    ServiceNotFound,
)
from mill_gateway.objects.deployments import Deployment
from mill_gateway.stores import Store
from mill_kube.client import KubeClient
from mill_kube.errors import NotFound
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_objects.json import Json
from mill_objects.key import Key


@dataclass(frozen=True, slots=True)
class RolloutQuery:
    """A rollout of one resource, and which of its events a stream sends."""

    key: Key
    uid: str
    rollout: str
    after: int = 0
    """Position of the last event that the client has; 0: none."""
    full: bool = False
    """Whether every phase is sent, with codes, evidence and suggestions."""
    service: str | None = None
    """The only service whose events are sent; None: all."""

    @property
    def qualified_id(self) -> str:
        """The first part of each event's id: the resource and the rollout."""
        return qualified_id(self.uid, self.rollout)

    @classmethod
    def of_written(cls, key: Key, written: Json, *, full: bool = False, service: str | None = None) -> "RolloutQuery":
        """Return the query for the rollout that a write has started, by the API server's answer.

        The store is not read: it may have the next deploy by then, whose outcome is another.
        """
        uid, rollout = written["metadata"]["uid"], rollout_id(written["metadata"])
        return cls(key, uid, rollout, full=full, service=service)


class Rollouts:
    """Lookup of rollouts that a client names."""

    def __init__(self, client: KubeClient, deployments: Store[Deployment]) -> None:
        self._client = client
        self._deployments = deployments

    async def find(
        self, key: Key, uid: str | None, rollout: str | None, *, service: str | None = None
    ) -> tuple[str, str]:
        """Return the uid of a resource and the id of one of its rollouts: of the current one if `rollout` is None.

        `uid` is the short uid of an event id, or None. Raise `DeploymentDeleted`, `DeploymentNotFound`,
        `RolloutNotFound`, `RolloutExpired`, or `ServiceNotFound` if the resource does not have `service`.
        """
        found = await self._current(key, uid, rollout)
        rollout = rollout or found.rollout_id
        if service is not None and not found.has_service(service):
            raise ServiceNotFound(service, key.namespace)
        if standing(rollout, found.metadata, found.status) is Standing.FORGOTTEN:
            raise RolloutExpired(forgotten(rollout))
        return found.uid, rollout

    async def _current(self, key: Key, uid: str | None, rollout: str | None) -> Deployment:
        """Return a resource that has the uid and has started the rollout.

        Another gateway may have written it a moment ago, so it is read from the API server if the store is behind.
        """
        found = self._deployments.get(key)
        if found is None or not _has_uid(found, uid) or not _has_started(found, rollout):
            try:
                found = self._deployments.put(await self._client.get(MILL_DEPLOYMENTS, *key))
            except NotFound:
                found = None
        if uid is not None and (found is None or not _has_uid(found, uid)):
            raise DeploymentDeleted(f"{key}: the deployment that these events were about was deleted")
        if found is None:
            raise DeploymentNotFound(key.name, key.namespace)
        if not _has_started(found, rollout):
            raise RolloutNotFound(f"{key}: there is no rollout {rollout} yet; the latest is {found.rollout_id}")
        return found


def _has_uid(found: Deployment, uid: str | None) -> bool:
    return uid is None or short_uid(found.uid) == uid


def _has_started(found: Deployment, rollout: str | None) -> bool:
    if rollout is None or rollout == found.rollout_id:
        return True
    return standing(rollout, found.metadata, found.status) is not Standing.AWAITED
