"""What a cluster does with Deployments, for the in-memory API server: ReplicaSets, pods, and the time that these take.

Each Deployment has one replica. Pods of the templates that `breaks` names never become ready, or cannot be pulled.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from mill_kube.resources import DEPLOYMENTS, PODS, REPLICA_SETS
from mill_objects.json import Json
from mill_objects.key import Key
from mill_operator.core import timestamps
from tests.support.apiserver import ApiServer

READY_AFTER = timedelta(seconds=3)

Break = Literal["unready", "missing image"]


@dataclass
class _Pod:
    body: Json
    template: str
    created: datetime
    ready_at: datetime | None = None


class Deployments:
    """The Deployment controller and the kubelets. `step` lets them do what is due."""

    def __init__(self, server: ApiServer, now: Callable[[], datetime]) -> None:
        self._server = server
        self._now = now
        self._pods: dict[Key, list[_Pod]] = {}
        self._proved: dict[Key, str] = {}
        """Templates of which a pod became ready."""
        self._count = 0
        self.breaks: dict[Key, Break] = {}
        """Deployments whose templates, other than the one that has worked, do not work from now on."""

    def templates(self, key: Key) -> list[str]:
        """Return the templates of a Deployment's ready pods."""
        return [pod.template for pod in self._pods.get(key, ()) if pod.ready_at is not None]

    def step(self) -> None:
        deployments = {_key(each): each for each in self._server.all(DEPLOYMENTS)}
        for key in [key for key in self._pods if key not in deployments]:
            for pod in self._pods.pop(key):
                self._server.remove(PODS, *_key(pod.body))
        for deployment in deployments.values():
            self._roll(deployment)

    def _roll(self, deployment: Json) -> None:
        key = _key(deployment)
        template = deployment["spec"]["template"]["metadata"]["labels"]["mill.dev/template"]
        pods = self._pods.setdefault(key, [])
        others = [pod for pod in pods if pod.template != template]
        ours = [pod for pod in pods if pod.template == template]
        for pod in ours:
            self._start(key, pod)
        settle = timedelta(seconds=deployment["spec"]["minReadySeconds"])
        available = [pod for pod in pods if pod.ready_at is not None and self._now() >= pod.ready_at + settle]
        is_recreated = deployment["spec"]["strategy"]["type"] == "Recreate"
        if others and (is_recreated or any(pod in available for pod in ours)):
            for pod in others:
                self._server.remove(PODS, *_key(pod.body))
                pods.remove(pod)
        elif not ours:
            self._create(deployment, template, pods)
        self._report(deployment, sum(pod in available for pod in pods))

    def _create(self, deployment: Json, template: str, pods: list[_Pod]) -> None:
        meta, spec = deployment["metadata"], deployment["spec"]["template"]
        owners = [{"kind": "Deployment", "name": meta["name"], "uid": meta["uid"], "controller": True}]
        labels = spec["metadata"]["labels"]
        where = {"name": f"{meta['name']}-{template}", "namespace": meta["namespace"], "labels": labels}
        self._server.put(REPLICA_SETS, {"metadata": {**where, "ownerReferences": owners}, "spec": {"template": spec}})
        self._count += 1
        body = {
            "metadata": {**where, "name": f"{meta['name']}-{self._count}"},
            "spec": {**spec["spec"], "nodeName": "node-1"},
            "status": {"phase": "Pending"},
        }
        pods.append(_Pod(self._server.put(PODS, body), template, self._now()))

    def _start(self, key: Key, pod: _Pod) -> None:
        """Let a pod become ready, or report why it does not."""
        breaks = self.breaks.get(key) if self._proved.get(key) != pod.template else None
        if pod.ready_at is not None or self._now() < pod.created + READY_AFTER or "reported" in pod.body:
            return
        started = timestamps.render(self._now())
        name, image = pod.body["spec"]["containers"][0]["name"], pod.body["spec"]["containers"][0]["image"]
        state: Json = {"running": {"startedAt": started}}
        if breaks == "missing image":
            message = f'failed to resolve reference "{image}": not found'
            state = {"waiting": {"reason": "ErrImagePull", "message": message}}
        is_ready = breaks is None
        container = {"name": name, "image": image, "ready": is_ready, "started": is_ready, "state": state}
        conditions = [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": started},
            {"type": "Ready", "status": str(is_ready), "lastTransitionTime": started},
        ]
        status = {"phase": "Running" if "running" in state else "Pending", "conditions": conditions}
        pod.body = self._server.put(PODS, {**pod.body, "status": {**status, "containerStatuses": [container]}})
        if is_ready:
            pod.ready_at, self._proved[key] = self._now(), pod.template
        else:
            pod.body["reported"] = True

    def _report(self, deployment: Json, available: int) -> None:
        if deployment.get("status", {}).get("availableReplicas", 0) != available:
            self._server.put(DEPLOYMENTS, {**deployment, "status": {"availableReplicas": available}})


def _key(body: Json) -> Key:
    return Key(body["metadata"]["namespace"], body["metadata"]["name"])
