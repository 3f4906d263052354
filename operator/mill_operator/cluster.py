"""What the operator sees of the cluster: one reflector per kind, grouped by MillDeployment."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from mill_api import names
from mill_api.events import rollout_id
from mill_api.key import Key
from mill_api.kube.client import KubeClient
from mill_api.kube.reflector import Reflector
from mill_api.kube.resources import BY_KIND, MILL_DEPLOYMENTS, PODS
from mill_operator.core import clock
from mill_operator.core.desired import Owner
from mill_operator.core.facts import ChildFacts, PodFacts, child_facts, pod_facts

CHILD_KINDS = ("Deployment", "Service", "Ingress", "PersistentVolumeClaim", "CronJob")
POD_SELECTOR = f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY},{names.LABEL_SERVICE}"


@dataclass(frozen=True, slots=True)
class Parent:
    """A MillDeployment as the API server has it."""

    key: Key
    uid: str
    resource_version: str
    generation: int
    created: datetime
    rollout_id: str
    restarts: frozenset[tuple[str, str]]
    """Which services somebody wants restarted: the service, and a value that changes with each time."""
    terminating: bool
    spec: dict[str, Any]
    status: dict[str, Any]

    @property
    def owner(self) -> Owner:
        """Return whose the children are."""
        return Owner(self.key, self.uid)

    @property
    def asks(self) -> tuple[object, ...]:
        """Return what makes a pass necessary; our own status writes do not change it."""
        return (self.uid, self.rollout_id, self.restarts, self.terminating)


def parent(body: dict[str, Any]) -> Parent:
    """Take what we need from a MillDeployment."""
    meta = body["metadata"]
    return Parent(
        key=Key(meta["namespace"], meta["name"]),
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        generation=meta["generation"],
        created=clock.parse(meta["creationTimestamp"]),
        rollout_id=rollout_id(meta),
        restarts=frozenset(
            (name.removeprefix(names.RESTART_PREFIX), value)
            for name, value in (meta.get("annotations") or {}).items()
            if name.startswith(names.RESTART_PREFIX)
        ),
        terminating="deletionTimestamp" in meta,
        spec=body.get("spec") or {},
        status=body.get("status") or {},
    )


class Cluster:
    """The stores, and who is told when they change."""

    def __init__(
        self, client: KubeClient, namespace: str | None, wake: Callable[[Key], None], *, evidence_logs: bool = True
    ) -> None:
        def woken(old: PodFacts | ChildFacts | None, new: PodFacts | ChildFacts | None) -> None:
            for each in {_group(facts) for facts in (old, new) if facts is not None}:
                wake(each)

        def asked(old: Parent | None, new: Parent | None) -> None:
            if old is None or new is None or old.asks != new.asks:
                wake((new or old).key)  # type: ignore[union-attr]

        self.parents = Reflector(client, MILL_DEPLOYMENTS, project=parent, on_change=asked, namespace=namespace)
        self._pods = Reflector(
            client,
            PODS,
            project=partial(pod_facts, logs=evidence_logs),
            on_change=woken,
            group=_group,
            namespace=namespace,
            labels=POD_SELECTOR,
        )
        self._children = {
            kind: Reflector(
                client,
                BY_KIND[kind],
                project=partial(child_facts, kind),
                on_change=woken,
                group=_group,
                namespace=namespace,
                labels=names.CHILD_SELECTOR,
            )
            for kind in CHILD_KINDS
        }

    @property
    def reflectors(self) -> Iterable[Reflector[Any]]:
        """Return every reflector."""
        return (self.parents, self._pods, *self._children.values())

    async def synced(self) -> None:
        """Wait until every store is filled."""
        await asyncio.gather(*(each.synced.wait() for each in self.reflectors))

    def pods(self, key: Key) -> list[PodFacts]:
        """Return the pods of a MillDeployment's services."""
        return self._pods.in_group(key)

    def children(self, key: Key) -> list[ChildFacts]:
        """Return its other objects."""
        return [each for store in self._children.values() for each in store.in_group(key)]

    def learn(self, kind: str, body: dict[str, Any]) -> ChildFacts:
        """Note the answer to our own write."""
        return self._children[kind].learn(body)

    def learn_pod(self, body: dict[str, Any]) -> None:
        """Note the answer to a pod's deletion."""
        self._pods.learn(body)


def _group(facts: PodFacts | ChildFacts) -> Key:
    return Key(facts.key.namespace, facts.deployment)
