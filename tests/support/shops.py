"""A MillDeployment whose services depend on each other, from its pods to its status, and pods in trouble."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from mill_api.service_status import ServiceStatus, State
from mill_api.status import MillDeploymentStatus
from mill_operator.core import timestamps
from mill_operator.core.objects.rendering import DesiredState, ParsedSpec
from mill_operator.core.observed.containers import Termination
from mill_operator.core.observed.lookup_results import NO_RESULTS
from mill_operator.core.observed.mill_deployments import project_mill_deployment
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.observed.snapshot import Snapshot
from mill_operator.core.reconcile.goal import Goal, starts_rollout
from mill_operator.core.reconcile.next_status import decide_status
from mill_operator.core.reconcile.observations import Observations, Situation, observe_services
from mill_operator.core.reconcile.writes import decide_writes
from tests.support.children import OBSERVED
from tests.support.recordings import CREATED, at, pod


class Shop:
    """A MillDeployment whose services depend on each other, and its pods, at a time in seconds."""

    def __init__(self, *services: str, settle: float = 0, **edges: Mapping[str, tuple[str, ...]]) -> None:
        self.generation, self.settle, self.edges = 1, settle, edges
        self.images = {service: f"{service}:1" for service in services}
        self.status = MillDeploymentStatus()
        self.pods: dict[str, ObservedPod] = {}
        self.written: dict[str, str] = {}
        """The hashes of the Deployments that were written."""
        self.replicas: dict[str, int] = {}
        """The replicas of Deployments that an autoscaler has set."""
        self.renewed: list[str] = []
        self.wake_at: float | None = None

    def desired(self) -> DesiredState:
        spec = {"services": [{"name": name, "image": image, "port": 80} for name, image in self.images.items()]}
        parts = [
            replace(part, wanted=replace(part.wanted, settle=timedelta(seconds=self.settle), **self._edges(part.name)))
            for part in ParsedSpec(self.resource().owner, spec, {}).desired().parts
            if part.wanted is not None
        ]
        return DesiredState(tuple(parts))

    def _edges(self, service: str) -> dict[str, tuple[str, ...]]:
        return {kind: each[service] for kind, each in self.edges.items() if service in each}

    def resource(self) -> Any:
        metadata = {
            "namespace": "shop",
            "name": "mill",
            "uid": "mill-uid",
            "resourceVersion": "1",
            "generation": self.generation,
            "creationTimestamp": timestamps.render(CREATED),
        }
        return project_mill_deployment({"metadata": metadata, "spec": {}})

    def deploy(self, **images: str) -> None:
        self.generation += 1
        self.images |= images

    def set(self, service: str, made: ObservedPod, *, created: float = 0.0, image: str | None = None) -> None:
        """Give a service its only pod, of the wanted version unless an image is named."""
        template = next(each.template for each in self.desired().services if each.name == service)
        if image is not None:
            template = f"template-of-{image}"
        container = replace(made.container, image=image or self.images[service])
        uid = f"{service}-{created}"
        self.pods[service] = replace(
            made, service=service, template=template, container=container, uid=uid, created=at(created)
        )

    def look(self, seconds: float) -> dict[str, State]:
        """Reconcile at a time, twice if the first decision asks for it at once."""
        now = at(seconds)
        for _ in range(5):
            wake = self._reconcile(seconds)
            if wake is None or wake > now:
                break
        self.wake_at = None if wake is None else (wake - CREATED).total_seconds()
        return {service.name: service.state for service in self.status.services}

    def _reconcile(self, seconds: float) -> Any:
        now, desired, resource = at(seconds), self.desired(), self.resource()
        goal = Goal(resource, desired, desired.children, ())
        snapshot = self._snapshot(desired)
        writes = decide_writes(goal, snapshot, self.status, {}, now)
        for child in (*writes.plan.create, *(child for child, _ in writes.plan.update)):
            if child.kind == "Deployment":
                self.written[child.key.name] = child.applied
        situation = Situation(goal, self._snapshot(desired), {}, self.status, self.status, now)
        starts = starts_rollout(resource, self.status)
        seen = Observations(list(observe_services(situation, NO_RESULTS, is_new_request=starts)))
        for each in seen.renewed_pods:
            self.renewed.append(each.uid)
            del self.pods[each.service]
        decision = decide_status(situation, seen, NO_RESULTS, {})
        self.status = decision.status
        return decision.wake_at

    def _snapshot(self, desired: DesiredState) -> Snapshot:
        children = tuple(
            replace(OBSERVED, key=OBSERVED.key._replace(name=name), uid=name, service=name, applied=applied,
                    owner_uid="mill-uid", available=1, replicas=self.replicas.get(name, 1))
            for name, applied in self.written.items()
        )  # fmt: skip
        return Snapshot(pods=tuple(self.pods.values()), children=children)

    def service(self, name: str) -> ServiceStatus:
        return next(each for each in self.status.services if each.name == name)

    def condition(self) -> str:
        return next(each.message for each in self.status.conditions if each.type == "Ready")


def crashed(times: int, *, at_second: float) -> ObservedPod:
    """Return a pod that has crashed so often, the last time at that second."""
    end = Termination(1, "Error", "no database", at(at_second - 1), at(at_second))
    made = pod("crashed-twice")
    container = replace(made.container, ended=end, last_ended=end if times > 1 else None, restarts=times - 1)
    return replace(made, container=container)


def unready(since: float) -> ObservedPod:
    made = pod("unready")
    container = replace(made.container, running_since=at(since), ended=None, last_ended=None, restarts=0)
    return replace(made, container=container, unready_since=at(since))
