"""A node, and any pod as far as it takes something of one."""

from dataclasses import dataclass
from typing import Any

from mill_api import names
from mill_api.key import Key
from mill_gateway.core.amounts import Amounts, requested

MIRROR = "kubernetes.io/config.mirror"
"""Annotation of a pod that the kubelet runs by itself."""


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
