"""What the operator sees of the cluster: one reflector per kind, grouped by MillDeployment."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias, TypeVar

from mill_api import names
from mill_api.events import rollout_id
from mill_api.owner import Owner
from mill_kube.client import KubeClient
from mill_kube.reflector import Reflector
from mill_kube.resources import BY_KIND, JOBS, MILL_DEPLOYMENTS, PODS, Resource
from mill_objects import fields
from mill_objects.fields import Unreadable
from mill_objects.key import Key
from mill_operator.core.digest import digest
from mill_operator.core.observed.jobs import JobFacts, job_facts
from mill_operator.core.observed.pods import ChildFacts, PodFacts, child_facts, pod_facts
from mill_operator.core.observed.text_cache import TextCache
from mill_operator.core.packed import NOTHING, Packed

CHILD_KINDS = ("Deployment", "Service", "Ingress", "PersistentVolumeClaim", "CronJob")

PARENTS_AT_ONCE = 10
"""MillDeployments that are listed at once: each may have 1.5 MB, and takes up to ten times that while it is read."""
LONGEST_RESTART = 256
"""Characters of a restart's value, which all pods of the service carry; in place of a longer one stands its hash."""

Facts: TypeAlias = PodFacts | ChildFacts | JobFacts
F = TypeVar("F", PodFacts, ChildFacts, JobFacts)


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
    """Which of its services somebody wants restarted: the service, and a value that changes with each time."""
    terminating: bool
    packed_spec: Packed
    packed_status: Packed

    @property
    def spec(self) -> dict[str, Any]:
        """Return the spec, made anew each time."""
        spec: dict[str, Any] = self.packed_spec.value()
        return spec

    @property
    def status(self) -> dict[str, Any]:
        """Return the status, made anew each time."""
        status: dict[str, Any] = self.packed_status.value()
        return status

    @property
    def owner(self) -> Owner:
        """Return whose the children are."""
        return Owner(self.key, self.uid)

    @property
    def asks(self) -> tuple[object, ...]:
        """Return what makes a pass necessary; our own status writes do not change it."""
        return (self.uid, self.rollout_id, self.restarts, self.terminating)


def project_mill_deployment(
    body: Mapping[str, Any], known: ObservedMillDeployment | None = None
) -> ObservedMillDeployment:
    """Take what we need from a MillDeployment. Raises `Unreadable`.

    `known` is what was taken before: most changes leave the spec.
    """
    identity, meta = fields.identity(body), fields.mapping(body, "metadata")
    generation = fields.optional_number(meta, "generation")
    if generation is None:
        raise Unreadable("no metadata.generation")
    terminating = fields.deleted(body)
    spec = fields.mapping(body, "spec")
    if terminating:  # nothing is made for it any more, however long it stays
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
        packed_spec=packed_spec,
        packed_status=packed_status,
    )


def _restarts(annotations: Mapping[str, str], spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the services that somebody wants restarted: no more than there are, and no value without a bound."""
    asked = {
        name.removeprefix(names.RESTART_PREFIX): value
        for name, value in annotations.items()
        if name.startswith(names.RESTART_PREFIX)
    }
    if not asked:
        return
    for service in fields.mappings(spec, "services"):
        name = fields.text(service, "name")
        if (value := asked.get(name)) is not None:
            yield name, value if len(value) <= LONGEST_RESTART else digest(value)


class Caches:
    """The stores, and who is told when they change."""

    def __init__(
        self, client: KubeClient, namespace: str | None, wake: Callable[[Key], None], *, evidence_logs: bool = True
    ) -> None:
        self._texts = TextCache()

        def woken(old: Facts | None, new: Facts | None) -> None:
            if isinstance(old, PodFacts) and (new is None or new.uid != old.uid):
                self._texts.forget(old.uid)
            for each in {_group(facts) for facts in (old, new) if facts is not None}:
                wake(each)

        def asked(old: ObservedMillDeployment | None, new: ObservedMillDeployment | None) -> None:
            if old is None or new is None or old.asks != new.asks:
                wake((new or old).key)  # type: ignore[union-attr]

        def known(body: dict[str, Any]) -> ObservedMillDeployment:
            return project_mill_deployment(body, self.mill_deployments.get(fields.identity(body).key))

        self.mill_deployments: Reflector[ObservedMillDeployment] = Reflector(
            client, MILL_DEPLOYMENTS, project=known, on_change=asked, namespace=namespace, page=PARENTS_AT_ONCE
        )

        def reflector(resource: Resource, project: Callable[[dict[str, Any]], F]) -> Reflector[F]:
            return Reflector(
                client,
                resource,
                project=project,
                on_change=woken,
                group=_group,
                namespace=namespace,
                labels=names.CHILD_SELECTOR,
            )

        self._pods = reflector(PODS, partial(pod_facts, logs=evidence_logs, cache=self._texts))
        self._jobs = reflector(JOBS, job_facts)
        self._children = {kind: reflector(BY_KIND[kind], partial(child_facts, kind)) for kind in CHILD_KINDS}

    @property
    def reflectors(self) -> Iterable[Reflector[Any]]:
        """Return every reflector."""
        return (self.mill_deployments, self._pods, self._jobs, *self._children.values())

    async def synced(self) -> None:
        """Wait until every store is filled."""
        await asyncio.gather(*(each.synced.wait() for each in self.reflectors))

    def pods(self, key: Key) -> list[PodFacts]:
        """Return the pods of a MillDeployment's services."""
        return [pod for pod in self._pods.in_group(key) if pod.service]

    def run_pods(self, key: Key) -> list[PodFacts]:
        """Return the pods of its tasks' runs."""
        return [pod for pod in self._pods.in_group(key) if pod.job]

    def jobs(self, resource: ObservedMillDeployment) -> list[JobFacts]:
        """Return the runs of its tasks: of those that it has, and of those that it had when they began."""
        if not (jobs := self._jobs.in_group(resource.key)):
            return []
        cron_jobs = self._children["CronJob"].in_group(resource.key)
        owners = {resource.uid, *(each.uid for each in cron_jobs if each.owner_uid == resource.uid)}
        return [job for job in jobs if not owners.isdisjoint(job.owners)]

    def children(self, key: Key) -> list[ChildFacts]:
        """Return its other objects."""
        return [each for store in self._children.values() for each in store.in_group(key)]

    def put_mill_deployment(self, body: dict[str, Any]) -> Key | None:
        """Store a MillDeployment that another watch has brought first; return its key if it asks for a new rollout.

        What the cache has is kept where the two ask for the same rollout: most changes are our own status writes, and
        those are read once. Before the first list is complete, that list brings everything.
        """
        if not self.mill_deployments.synced.is_set():
            return None
        with contextlib.suppress(Unreadable):
            key = fields.identity(body).key
            known = self.mill_deployments.get(key)
            if known is None or known.rollout_id != rollout_id(fields.mapping(body, "metadata")):
                stored = self.mill_deployments.learn(body)
                return key if known is None or stored.rollout_id != known.rollout_id else None
        return None

    def learn(self, kind: str, body: dict[str, Any]) -> ChildFacts:
        """Note the answer to our own write. Raises `Unreadable`."""
        return self._children[kind].learn(body)

    def learn_job(self, body: dict[str, Any]) -> None:
        """Note the answer to our own write. The watch tells of one that cannot be read."""
        with contextlib.suppress(Unreadable):
            self._jobs.learn(body)

    def learn_pod(self, body: dict[str, Any]) -> None:
        """Note the answer to a pod's deletion, unless the watch has told already that it is gone."""
        with contextlib.suppress(Unreadable):
            told = fields.identity(body)
            known = self._pods.get(told.key)
            if known is not None and known.uid == told.uid:
                self._pods.learn(body)


def _group(facts: Facts) -> Key:
    return Key(facts.key.namespace, facts.deployment)
