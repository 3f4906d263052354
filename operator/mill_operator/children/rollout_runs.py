"""Writes of the Jobs of runs in rollouts. What is written, `core.rollout_tasks.advance` decides."""

import logging
from collections.abc import Iterable, Mapping
from typing import Final

from mill_api import names
from mill_api.owner import Owner
from mill_kube.client import KubeClient
from mill_kube.errors import ApiError, Conflict, NotFound
from mill_kube.resources import JOBS
from mill_objects.json import Json
from mill_objects.key import Key
from mill_operator.caches import Caches
from mill_operator.core.observed.jobs import ObservedJob
from mill_operator.core.rollout_tasks.jobs import is_of
from mill_process.logs import about

log = logging.getLogger(__name__)

_REFUSALS: Final = range(400, 500)
_EXISTS: Final = "AlreadyExists"
_AGAIN: Final = (408, 429)
"""Answers of an API server that is busy."""
_TAKEN: Final = "another owner has a Job of the name {}"
_DELETED: Final = "it was deleted"


class RolloutRuns:
    """Creates and deletes the Jobs of runs in rollouts."""

    def __init__(self, client: KubeClient, caches: Caches) -> None:
        self._client = client
        self._caches = caches

    async def create(self, owner: Owner, jobs: Mapping[str, Json]) -> dict[str, str]:
        """Create Jobs, by the names of their tasks. Return why some cannot be created. Raise `KubeError`."""
        refused: dict[str, str] = {}
        for task, job in jobs.items():
            if (cause := await self._create(owner, task, job)) is not None:
                refused[task] = cause
        return refused

    async def adopt(self, owner: Owner, run: str) -> bool:
        """Return whether the Job of a run exists, and keep it in the cache. Raise `KubeError`."""
        return await self._adopted(owner, Key(owner.key.namespace, run)) is None

    async def delete(self, jobs: Iterable[ObservedJob]) -> None:
        """Delete Jobs whose program must not start any more, unless others have their names. Raise `KubeError`."""
        for job in jobs:
            try:
                await self._client.delete(JOBS, *job.key, uid=job.uid)
            except (NotFound, Conflict):
                continue
            log.info("%s: deleted Job, which could not start", job.key, extra=_about(job.key, job.task))

    async def _create(self, owner: Owner, task: str, job: Json) -> str | None:
        key = Key(owner.key.namespace, job["metadata"]["name"])
        try:
            made = await self._client.create(JOBS, key.namespace, job, manager=names.OPERATOR_FIELD_MANAGER)
        except Conflict as error:
            if error.reason != _EXISTS:
                raise  # such as of a quota, whose use changes at this moment
            return await self._adopted(owner, key)  # it was created before the operator was started again
        except ApiError as error:
            if error.status not in _REFUSALS or error.status in _AGAIN or error.namespace_terminating:
                raise
            return str(error)
        self._caches.put_job(made)
        log.info("%s: created Job", key, extra=_about(owner.key, task))
        return None

    async def _adopted(self, owner: Owner, key: Key) -> str | None:
        try:
            found = await self._client.get(JOBS, *key)
        except NotFound:
            return _DELETED  # perhaps after it has run: it must not run twice
        if not is_of(owner, found):
            return _TAKEN.format(key.name)
        self._caches.put_job(found)
        return None


def _about(resource: Key, task: str) -> dict[str, object]:
    return about(resource, task=task, kind="Job")
