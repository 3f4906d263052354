"""Caches of the watched objects: one reflector for each kind, grouped by MillDeployment."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeAlias, TypeVar

from mill_api import names
from mill_api.rollout_ids import rollout_id
from mill_kube.client import KubeClient
from mill_kube.reflector import Reflector, Selection
from mill_kube.resources import BY_KIND, JOBS, MILL_DEPLOYMENTS, PODS, Resource
from mill_objects import fields
from mill_objects.fields import Unreadable
from mill_objects.key import Key
from mill_operator.core.observed.children import ObservedChild, project_child
from mill_operator.core.observed.jobs import ObservedJob, project_job
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment, project_mill_deployment
from mill_operator.core.observed.pods import ObservedPod, project_pod
from mill_operator.core.observed.snapshot import Snapshot
from mill_operator.core.observed.text_cache import TextCache
from mill_operator.core.routes.index import RouteIndex

METADATA_ONLY = frozenset({"ConfigMap"})
"""Kinds of which nothing but the metadata is listed and watched: their contents are large, and their names say all."""
CHILD_KINDS = ("Deployment", "Service", "Ingress", "PersistentVolumeClaim", "ConfigMap", "CronJob")

PAGE_SIZE = 10
"""MillDeployments in one page of a list: each may have 1.5 MB, and takes up to ten times that while it is read."""

ObservedObject: TypeAlias = ObservedPod | ObservedChild | ObservedJob
F = TypeVar("F", ObservedPod, ObservedChild, ObservedJob)


class Caches:
    """The caches of all kinds. A change of an object calls `enqueue` with the key of its MillDeployment."""

    def __init__(
        self, client: KubeClient, namespace: str | None, enqueue: Callable[[Key], None], *, evidence_logs: bool = True
    ) -> None:
        self._texts = TextCache()
        self.routes = RouteIndex(enqueue)
        """The routes of the Ingresses in the cache."""

        def on_child_change(old: ObservedObject | None, new: ObservedObject | None) -> None:
            if isinstance(old, ObservedPod) and (new is None or new.uid != old.uid):
                self._texts.forget(old.uid)
            for each in {_group(observed) for observed in (old, new) if observed is not None}:
                enqueue(each)
            # Its own MillDeployment comes first: one that lost an Ingress puts it back before others get its routes.
            if (changed := new or old) is not None and isinstance(changed, ObservedChild):
                self._index(changed.kind, changed.key)

        def on_change(old: ObservedMillDeployment | None, new: ObservedMillDeployment | None) -> None:
            if old is not None and new is not None and old.requests == new.requests:
                return
            if (changed := new or old) is not None:
                enqueue(changed.key)

        def project(body: dict[str, Any]) -> ObservedMillDeployment:
            return project_mill_deployment(body, self.mill_deployments.get(fields.identity(body).key))

        self.mill_deployments: Reflector[ObservedMillDeployment] = Reflector(
            client,
            MILL_DEPLOYMENTS,
            project=project,
            on_change=on_change,
            selection=Selection(namespace, page=PAGE_SIZE),
        )

        def child_reflector(resource: Resource, project: Callable[[dict[str, Any]], F]) -> Reflector[F]:
            return Reflector(
                client,
                resource,
                project=project,
                on_change=on_child_change,
                group=_group,
                selection=Selection(namespace, names.CHILD_SELECTOR, metadata_only=resource.kind in METADATA_ONLY),
            )

        self._pods = child_reflector(PODS, partial(project_pod, logs=evidence_logs, cache=self._texts))
        self._jobs = child_reflector(JOBS, project_job)
        self._children = {kind: child_reflector(BY_KIND[kind], partial(project_child, kind)) for kind in CHILD_KINDS}

    @property
    def reflectors(self) -> Iterable[Reflector[Any]]:
        """The reflectors of all kinds."""
        return (self.mill_deployments, self._pods, self._jobs, *self._children.values())

    async def synced(self) -> None:
        """Wait until the first list of every kind is complete."""
        await asyncio.gather(*(each.synced.wait() for each in self.reflectors))

    def snapshot(self, resource: ObservedMillDeployment) -> Snapshot:
        """Return everything that belongs to a MillDeployment."""
        key = resource.key
        children = (child for cache in self._children.values() for child in cache.in_group(key))
        return Snapshot.of(resource, self._pods.in_group(key), children, self._jobs.in_group(key))

    def ingresses(self, key: Key) -> list[ObservedChild]:
        """Return the Ingresses with the labels of a MillDeployment, in the order of their names."""
        return sorted(self._children["Ingress"].in_group(key), key=lambda each: each.key)

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
                stored = self.mill_deployments.put(body)
                return key if known is None or stored.rollout_id != known.rollout_id else None
        return None

    def put(self, kind: str, body: dict[str, Any]) -> ObservedChild:
        """Put the answer to the operator's own write of a child into its cache. Raise `Unreadable`."""
        stored = self._children[kind].put(body)
        self._index(kind, stored.key)
        return stored

    def put_job(self, body: dict[str, Any]) -> None:
        """Put the answer to the operator's own write of a Job into its cache. The watch reports an unreadable one."""
        with contextlib.suppress(Unreadable):
            self._jobs.put(body)

    def put_pod(self, body: dict[str, Any]) -> None:
        """Put the answer to a pod's deletion into its cache, unless the watch has already reported the pod gone."""
        with contextlib.suppress(Unreadable):
            deleted = fields.identity(body)
            known = self._pods.get(deleted.key)
            if known is not None and known.uid == deleted.uid:
                self._pods.put(body)

    def _index(self, kind: str, key: Key) -> None:
        """Note in the index of routes what the cache has of an Ingress."""
        if kind == "Ingress":
            self.routes.update(key, self._children[kind].get(key))


def _group(observed: ObservedObject) -> Key:
    return Key(observed.key.namespace, observed.deployment)
