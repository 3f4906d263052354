"""Nodes, and every pod in the cluster as far as it takes something of one."""

from dataclasses import dataclass
from typing import Any

from mill_api import names
from mill_api.key import Key
from mill_api.kube.client import KubeClient
from mill_api.kube.reflector import Reflector
from mill_api.kube.resources import NODES, PODS
from mill_gateway.core.amounts import Amounts, requested
from mill_gateway.watched.waiting import Waiting

MIRROR = "kubernetes.io/config.mirror"
"""Annotation of a pod that the kubelet runs by itself."""
RUNNING = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed"


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the cluster."""

    key: Key
    uid: str
    resource_version: str
    address: str | None
    ready: bool
    unschedulable: bool
    amounts: Amounts
    """What pods may take of it altogether."""
    platform: str
    """Operating system and architecture: `linux/amd64`."""


def node(body: dict[str, Any]) -> Node:
    """Take what we need from a node."""
    meta, status = body["metadata"], body.get("status", {})
    addresses = {each["type"]: each["address"] for each in status.get("addresses") or ()}
    info = status.get("nodeInfo") or {}
    return Node(
        key=Key("", meta["name"]),
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        address=addresses.get("InternalIP") or addresses.get("ExternalIP") or addresses.get("Hostname"),
        ready=any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions") or ()),
        unschedulable=bool(body.get("spec", {}).get("unschedulable")),
        amounts=Amounts.read(status.get("allocatable") or {}),
        platform=f"{info.get('operatingSystem', '')}/{info.get('architecture', '')}",
    )


@dataclass(frozen=True, slots=True)
class Tenant:
    """A pod on a node, ours or not."""

    key: Key
    uid: str
    resource_version: str
    node: str
    amounts: Amounts
    ours: bool
    service: str | None
    task: str | None
    owner: str | None
    """Kind of its controller: who makes another one elsewhere. None: nobody does."""
    mirror: bool
    """Whether the kubelet runs it by itself, so that the API server cannot end it."""
    leaving: bool


def tenant(body: dict[str, Any]) -> Tenant:
    """Take what we need from a pod on a node."""
    meta = body["metadata"]
    labels = meta.get("labels") or {}
    owners = [each["kind"] for each in meta.get("ownerReferences") or () if each.get("controller")]
    return Tenant(
        key=Key(meta["namespace"], meta["name"]),
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        node=body["spec"].get("nodeName", ""),
        amounts=requested(body["spec"]),
        ours=labels.get(names.LABEL_MANAGED_BY) == names.MANAGED_BY and names.LABEL_DEPLOYMENT in labels,
        service=labels.get(names.LABEL_SERVICE),
        task=labels.get(names.LABEL_TASK),
        owner=owners[0] if owners else None,
        mirror=MIRROR in (meta.get("annotations") or {}),
        leaving="deletionTimestamp" in meta,
    )


class Nodes:
    """The stores, and who waits for a change on a node."""

    def __init__(self, client: KubeClient) -> None:
        self.reflector: Reflector[Node] = Reflector(client, NODES, project=node, on_change=lambda _old, _new: None)
        self.tenants: Reflector[Tenant] = Reflector(
            client, PODS, project=tenant, on_change=self._changed, group=lambda each: each.node, fields=RUNNING
        )
        self.waiting: Waiting[str] = Waiting()
        """By the node's name."""

    def get(self, name: str) -> Node | None:
        """Return a node."""
        return self.reflector.get(Key("", name))

    def all(self) -> list[Node]:
        """Return all nodes, by name."""
        return sorted(self.reflector.all(), key=lambda each: each.key)

    def on(self, name: str) -> list[Tenant]:
        """Return the pods on a node that have not ended, by namespace and name."""
        return sorted(self.tenants.in_group(name), key=lambda each: each.key)

    def _changed(self, old: Tenant | None, new: Tenant | None) -> None:
        for each in {tenant.node for tenant in (old, new) if tenant is not None}:
            self.waiting.wake(each)
