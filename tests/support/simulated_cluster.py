"""A cluster in simulated time: Deployments, and kubelets whose programs start, crash, back off and start again.

Times and delays are those of a real one, drawn from a seed: timestamps are whole seconds, the kubelet reports late, and
the Deployment controller is late, too. An operator reconciles the MillDeployment whenever it observes a change.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from mill_api.rollouts import Rollout
from mill_api.status import MillDeploymentStatus
from mill_kube.resources import DEPLOYMENTS, PODS
from mill_objects.json import Json
from tests.support.reconciling import KEY, ReconcilerHarness

TICK = timedelta(seconds=0.1)
BACK_OFF_SECONDS = 10.0


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@dataclass
class Pod:
    """A pod, and what its only container does."""

    name: str
    service: str
    deployment: Json
    created: datetime
    starts_at: datetime | None
    reported_at: datetime | None = None
    """When the kubelet's next report arrives; None if nothing has changed."""
    restarts: int = 0
    started: datetime | None = None
    ready_at: datetime | None = None
    """When its program is ready, by its present start."""
    exits_at: datetime | None = None
    is_ready: bool = False
    changed_at: datetime | None = None
    """When its readiness changed last."""
    run: tuple[datetime, datetime] | None = None
    """Start and end of the last run that has ended."""
    observed_ready_since: datetime | None = None
    """What the Deployment controller knows."""
    skew: timedelta = timedelta(0)
    """How far the clock of its node is ahead of the API server's."""

    @property
    def template(self) -> str:
        return str(self.deployment["spec"]["template"]["metadata"]["labels"]["mill.dev/template"])

    @property
    def command(self) -> list[str]:
        return list(self.deployment["spec"]["template"]["spec"]["containers"][0].get("command") or ())

    def body(self, now: datetime) -> Json:
        """Return the pod as its kubelet reports it now."""
        template = self.deployment["spec"]["template"]
        container = template["spec"]["containers"][0]
        ended = _terminated(*(each + self.skew for each in self.run)) if self.run else {}
        if self.started is not None:
            state, last = {"running": {"startedAt": _render(self.started + self.skew)}}, ended
        elif self.run is not None and self.restarts:
            waiting = {"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"}
            state, last = {"waiting": waiting}, ended
        else:
            state, last = ended or {"waiting": {"reason": "ContainerCreating"}}, {}
        has_run = self.started is not None or self.run is not None
        status = {
            "name": container["name"],
            "image": container["image"],
            "ready": self.is_ready,
            "started": self.started is not None,
            "restartCount": self.restarts,
            "state": state,
            "lastState": last,
        }
        conditions = [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": _render(self.created)},
            {
                "type": "Ready",
                "status": str(self.is_ready),
                "lastTransitionTime": _render(self.changed_at + self.skew if self.changed_at else self.created),
            },
        ]
        return {
            "metadata": {
                "name": self.name,
                "namespace": KEY.namespace,
                "uid": self.name,
                "creationTimestamp": _render(self.created),
                "labels": template["metadata"]["labels"],
                "managedFields": [{"manager": "kubelet", "subresource": "status", "time": _render(now)}],
            },
            "spec": {**template["spec"], "nodeName": "node-1"},
            "status": {
                "phase": "Running" if has_run else "Pending",
                "conditions": conditions,
                "containerStatuses": [status],
            },
        }


@dataclass
class SimulatedCluster:
    """One MillDeployment, its operator and its pods."""

    monkeypatch: pytest.MonkeyPatch
    seed: int
    exit_seconds: Callable[[Pod], float | None]
    """After how many seconds the program of a pod exits that starts now; None for never."""
    ready_seconds: Callable[[Pod], float] = lambda _: 0.0
    """How many seconds a program takes to be ready, at least."""
    pods: list[Pod] = field(default_factory=list)
    created: int = 0
    node_skew: float = 0.0
    """Seconds by which the clocks of the nodes are ahead of the API server's."""
    operator_skew: float = 0.0
    """Seconds by which the clock of the operator is ahead of the API server's."""
    is_away: bool = False
    """Whether no operator runs."""
    replaced: int = 0
    """Number of pods that the Deployment controller has ended for those of a new version."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self.now = datetime(2026, 1, 31, 12, 0, tzinfo=UTC) + seconds(self._random.random())
        self._harness = ReconcilerHarness(lambda: self.now + seconds(self.operator_skew))
        self._reconcile_at = self.now
        self._controller_at = self.now
        self._generation = 0
        self.monkeypatch.setattr("mill_operator.publisher.time", SimpleNamespace(monotonic=self._seconds))

    @property
    def status(self) -> MillDeploymentStatus:
        """The newest status, also if it is not written yet."""
        return self._harness.reconciler._memory[KEY].status

    @property
    def rollout(self) -> Rollout:
        assert self.status.rollout is not None
        return self.status.rollout

    def deploy(self, *services: Json) -> None:
        """Store a new generation."""
        self._generation += 1
        self._harness.change(spec={"services": list(services)}, generation=self._generation)
        self._reconcile_at = self.now

    def request(self, name: str) -> None:
        """Request another rollout of the same generation."""
        self._harness.change(annotations={"mill.dev/request": name})
        self._reconcile_at = self.now

    async def finish(self, rollout: str, limit: float = 400) -> Rollout:
        """Let time pass until this rollout has finished."""
        end = self.now + seconds(limit)
        while True:
            await self._tick()
            if self.rollout.id == rollout and self.rollout.finished_at is not None:
                return self.rollout
            assert self.now < end, self.status

    async def leave(self, for_seconds: float) -> None:
        """Stop the operator for a while, and start another one then."""
        self.is_away = True
        await self.run(for_seconds)
        self._harness.restart()
        self.is_away, self._reconcile_at = False, self.now

    async def run(self, for_seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds(for_seconds)
        while self.now < end:
            await self._tick()

    def _seconds(self) -> float:
        return self.now.timestamp()

    async def _tick(self) -> None:
        observed = [self._step(pod) for pod in [*self.pods]]
        if self.now >= self._controller_at:
            self._controller_at = self.now + seconds(self._random.uniform(0.05, 0.4))
            observed += [self._roll(each) for each in self._harness.server.all(DEPLOYMENTS)]
        if not self.is_away and (any(observed) or self.now >= self._reconcile_at):
            wait = await self._harness.reconcile()
            self._reconcile_at = self.now + (timedelta(hours=1) if wait is None else seconds(wait))
        self.now += TICK

    def _step(self, pod: Pod) -> bool:
        """Let a kubelet do what is due; return whether the operator observes a change."""
        if self._harness.server.find(PODS, KEY.namespace, pod.name) is None:
            self.pods.remove(pod)
            self._harness.forget(PODS, pod.name)
            return True
        if self._change(pod) and pod.reported_at is None:
            usual, late = self._random.uniform(0, 0.2), self._random.uniform(0.2, 1.2)
            pod.reported_at = self.now + seconds(self._random.choice([usual, usual, late]))
        if pod.reported_at is None or self.now < pod.reported_at:
            return False
        pod.reported_at = None
        ready_since = pod.changed_at.replace(microsecond=0) if pod.is_ready and pod.changed_at else None
        pod.observed_ready_since = ready_since + pod.skew if ready_since else None
        self._harness.observe(PODS, pod.body(self.now))
        return True

    def _change(self, pod: Pod) -> bool:
        if pod.starts_at is not None and self.now >= pod.starts_at:
            lifetime = self.exit_seconds(pod)
            pod.starts_at, pod.started = None, self.now
            pod.restarts += pod.run is not None
            pod.ready_at = self.now + seconds(self.ready_seconds(pod) + self._random.uniform(0.05, 1.2))
            pod.exits_at = None if lifetime is None else self.now + seconds(lifetime)
            return True
        if pod.started is None:
            return False
        if pod.exits_at is not None and self.now >= pod.exits_at:
            pause = self._random.uniform(0.1, 1.2)
            if pod.restarts:  # the first restart is at once
                pause += BACK_OFF_SECONDS * 2 ** (pod.restarts - 1)
            pod.run, pod.started, pod.starts_at = (pod.started, self.now), None, self.now + seconds(pause)
            pod.is_ready, pod.changed_at = False, self.now if pod.is_ready else pod.changed_at
            return True
        if not pod.is_ready and pod.ready_at is not None and self.now >= pod.ready_at:
            pod.is_ready, pod.changed_at = True, self.now
            return True
        return False

    def _roll(self, deployment: Json) -> bool:
        """Let the Deployment controller create a pod, or end an old one; return whether something has changed."""
        name, spec = deployment["metadata"]["name"], deployment["spec"]
        template = spec["template"]["metadata"]["labels"]["mill.dev/template"]
        pods = [pod for pod in self.pods if pod.service == name]
        old, new = _split(pods, template)
        settled = self.now - seconds(spec["minReadySeconds"])
        available = sum(pod.observed_ready_since is not None and pod.observed_ready_since <= settled for pod in pods)
        changed = False
        if len(new) < spec["replicas"]:  # the surge is as large as the Deployment
            self.created += 1
            starts_at = self.now + seconds(self._random.uniform(0.3, 1.8))
            skew = seconds(self.node_skew)
            self.pods.append(Pod(f"{name}-{self.created}", name, deployment, self.now, starts_at, skew=skew))
            self._harness.observe(PODS, self.pods[-1].body(self.now))
            changed = True
        elif old and available > spec["replicas"]:
            self.replaced += 1
            self.pods.remove(old[0])
            self._harness.lose(PODS, old[0].name)
            changed = True
        if deployment.get("status", {}).get("availableReplicas") != available:
            self._harness.observe(DEPLOYMENTS, {**deployment, "status": {"availableReplicas": available}})
            changed = True
        return changed


def _split(pods: Sequence[Pod], template: str) -> tuple[list[Pod], list[Pod]]:
    return [pod for pod in pods if pod.template != template], [pod for pod in pods if pod.template == template]


def _terminated(started: datetime, ended: datetime) -> Json:
    times = {"startedAt": _render(started), "finishedAt": _render(ended)}
    return {"terminated": {"exitCode": 1, "reason": "Error", **times}}


def _render(moment: datetime) -> str:
    """Return a time as Kubernetes writes it: in whole seconds."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
