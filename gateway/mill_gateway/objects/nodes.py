"""Nodes, and the pods that occupy them."""

from dataclasses import dataclass

from mill_api import names
from mill_gateway.objects.amounts import Amounts, requested
from mill_objects import fields
from mill_objects.json import JsonView
from mill_objects.key import Key

MIRROR = "kubernetes.io/config.mirror"
"""Annotation of the mirror pod of a static pod."""


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
    """Resources that all pods together may request."""
    platform: str
    """Operating system and architecture: `linux/amd64`."""


def project_node(body: JsonView) -> Node:
    """Return the projection of a node. Raises `Unreadable`."""
    known, (_, spec, status) = fields.identity(body, namespaced=False), fields.parts(body)
    addresses = {
        fields.text(each, "type"): fields.text(each, "address") for each in fields.mappings(status, "addresses")
    }
    kinds = ("InternalIP", "ExternalIP", "Hostname")
    info = fields.mapping(status, "nodeInfo")
    return Node(
        key=known.key,
        uid=known.uid,
        resource_version=known.resource_version,
        address=next((addresses[kind] for kind in kinds if addresses.get(kind)), None),
        ready=fields.text(fields.conditions(status).get("Ready"), "status") == "True",
        unschedulable=fields.flag(spec, "unschedulable"),
        amounts=Amounts.read(fields.mapping(status, "allocatable")),
        platform=f"{fields.text(info, 'operatingSystem')}/{fields.text(info, 'architecture')}",
    )


@dataclass(frozen=True, slots=True)
class NodePod:
    """A pod on a node, of mill or not."""

    key: Key
    uid: str
    resource_version: str
    node: str
    amounts: Amounts
    ours: bool
    """Whether mill created it."""
    service: str | None
    task: str | None
    owner: str | None
    """Kind of its controller, which would replace it on another node; None if it has none."""
    mirror: bool
    """Whether it is a static pod, which the API server cannot delete."""
    terminating: bool


def project_node_pod(body: JsonView) -> NodePod:
    """Return the projection of a pod on a node. Raises `Unreadable`."""
    known, (meta, spec, _) = fields.identity(body), fields.parts(body)
    labels, annotations = fields.texts(meta, "labels"), fields.texts(meta, "annotations")
    owners = (each for each in fields.mappings(meta, "ownerReferences") if fields.flag(each, "controller"))
    return NodePod(
        key=known.key,
        uid=known.uid,
        resource_version=known.resource_version,
        node=fields.text(spec, "nodeName"),
        amounts=requested(spec),
        ours=labels.get(names.LABEL_MANAGED_BY) == names.MANAGED_BY and names.LABEL_DEPLOYMENT in labels,
        service=labels.get(names.LABEL_SERVICE),
        task=labels.get(names.LABEL_TASK),
        owner=next((fields.text(each, "kind") for each in owners), None),
        mirror=MIRROR in annotations,
        terminating=fields.deleted(body),
    )
