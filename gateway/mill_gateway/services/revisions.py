"""Revisions of MillDeployments, read from the API server for each request, and rollbacks to them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from mill_api import names
from mill_api.gitops import gitops_owner
from mill_api.revisions import Revision, asked_annotation, read_revision
from mill_gateway.core.accidents import version_of
from mill_gateway.core.ownership import way_back
from mill_gateway.core.planned_tasks import planned_tasks
from mill_gateway.core.rollbacks import InvalidRevisionError, PreparedRollback, find_target, prepare, service_names
from mill_gateway.exceptions.deployments import ManagedByGitOps, PlanOutdated
from mill_gateway.exceptions.revisions import (
    NoEarlierRevision,
    RevisionInvalid,
    RevisionNotFound,
    ServiceNotInRevision,
)
from mill_gateway.objects.deployments import Deployment
from mill_gateway.services.deployments import ATTEMPTS, Authorize, Deployments, Planned, WriteOptions
from mill_kube.client import KubeClient
from mill_kube.resources import CONTROLLER_REVISIONS
from mill_objects import fields
from mill_objects.json import Json
from mill_objects.key import Key

MOST_READ: Final = 50
"""Objects that are read at once: the operator keeps fewer."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RollbackRequest:
    """A rollback that a caller asks for."""

    by: str
    """Name of the caller."""
    revision: int | None = None
    """None: the last one that succeeded and differs from what is deployed."""
    service: str | None = None
    """The only service that goes back; None: everything."""
    base: str | None = None
    """The version of the resource that the rollback requires; None: any."""


class Revisions:
    """The revisions that the operator keeps."""

    def __init__(self, client: KubeClient, deployments: Deployments) -> None:
        self._client = client
        self._deployments = deployments

    async def list(self, deployment: Deployment) -> list[Revision]:
        """Return the revisions of a deployment, newest first."""
        key = deployment.key
        labels = f"{names.LABEL_DEPLOYMENT}={key.name}"
        found = await self._client.list(CONTROLLER_REVISIONS, key.namespace, labels=labels, limit=MOST_READ)
        read = (read_revision(each, deployment.uid) for each in fields.mappings(found, "items"))
        return sorted((each for each in read if each is not None), key=lambda each: each.revision, reverse=True)

    async def get(self, deployment: Deployment, number: int) -> tuple[Revision, Revision | None]:
        """Return a revision and the one before it. Raise `RevisionNotFound`."""
        return _find(deployment.key, await self.list(deployment), number)

    async def compared(
        self, deployment: Deployment, number: int, other: int | None
    ) -> tuple[Revision, Revision | None]:
        """Return a revision, and the other one if there is one. Raise `RevisionNotFound`."""
        kept = await self.list(deployment)
        found, _ = _find(deployment.key, kept, number)
        return found, None if other is None else _find(deployment.key, kept, other)[0]

    async def plan(self, key: Key, wanted: RollbackRequest, authorize: Authorize) -> tuple[PreparedRollback, Planned]:
        """Return what a rollback would write and change. Raise what `rollback` raises."""

        async def plan(prepared: PreparedRollback, options: WriteOptions) -> Planned:
            planned = await self._deployments.plan(key, prepared.spec, options, authorize)
            known = self._deployments.get(key).status.rollout_tasks
            return replace(planned, rollout_tasks=planned_tasks(prepared.as_kept, known, prepared.succeeded))

        return await self._attempts(key, wanted, plan, dry_run=True)

    async def rollback(self, key: Key, wanted: RollbackRequest, authorize: Authorize) -> Json:
        """Write the spec of an earlier revision and return the resource.

        Raise `ManagedByGitOps`, `PlanOutdated`, `RevisionNotFound`, `NoEarlierRevision`, `ServiceNotInRevision`,
        `RevisionInvalid`, or what a deploy raises.
        """

        async def write(prepared: PreparedRollback, options: WriteOptions) -> Json:
            return await self._deployments.deploy(key, prepared.spec, options, authorize)

        _, written = await self._attempts(key, wanted, write, dry_run=False)
        return written

    async def _attempts(
        self,
        key: Key,
        wanted: RollbackRequest,
        act: Callable[[PreparedRollback, WriteOptions], Awaitable[T]],
        *,
        dry_run: bool,
    ) -> tuple[PreparedRollback, T]:
        """Prepare and act. What is written is made of the version that it replaces: of a newer one it is made again."""
        current = self._deployments.get(key)
        if wanted.base not in (None, version_of(current)):  # the store may be behind
            current = await self._deployments.read(key)
        for attempt in range(ATTEMPTS):
            prepared = await self._prepare(current, wanted)
            asked = asked_annotation(wanted.by, prepared.spec.to_wire(), rollback=prepared.target.revision)
            base = wanted.base or version_of(current)
            options = WriteOptions(dry_run=dry_run, replace_all=True, base=base, asked=asked)
            try:
                return prepared, await act(prepared, options)
            except PlanOutdated:
                if wanted.base is not None or attempt == ATTEMPTS - 1:
                    raise
            except ManagedByGitOps:  # since a moment ago: the refusal of a rollback says how to go back there
                if attempt == ATTEMPTS - 1:
                    raise
            current = await self._deployments.read(key)
        raise AssertionError  # the last attempt returns or raises

    async def _prepare(self, current: Deployment, wanted: RollbackRequest) -> PreparedRollback:
        key = current.key
        if (owner := gitops_owner(current.metadata, current.managers)) is not None:
            message = f"MillDeployment {key} is managed by {owner}: {way_back(owner)}"
            raise ManagedByGitOps(message, owner=owner)
        kept = await self.list(current)
        target = find_target(current.spec, kept, wanted.revision, wanted.service)
        if target is None and wanted.revision is not None:
            raise _not_found(key, kept, wanted.revision)
        if wanted.service is not None:
            existing = service_names(kept if target is None else [target])
            if existing and wanted.service not in existing:
                raise ServiceNotInRevision(wanted.revision, wanted.service, existing)
        if target is None:
            raise NoEarlierRevision(key, wanted.service)
        try:
            return prepare(current.spec, target, kept, wanted.service)
        except InvalidRevisionError as error:
            raise RevisionInvalid(target.revision, str(error)) from None


def _find(key: Key, kept: list[Revision], number: int) -> tuple[Revision, Revision | None]:
    for at, each in enumerate(kept):
        if each.revision == number:
            return each, next(iter(kept[at + 1 :]), None)
    raise _not_found(key, kept, number)


def _not_found(key: Key, kept: list[Revision], number: int) -> RevisionNotFound:
    return RevisionNotFound(number, key.namespace, [each.revision for each in kept])
