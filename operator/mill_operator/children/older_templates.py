"""The pod templates of older versions of a service, as the Deployment controller keeps them in ReplicaSets."""

from collections.abc import Mapping
from typing import Any

from mill_api import names
from mill_kube.client import KubeClient
from mill_kube.resources import REPLICA_SETS
from mill_objects import fields
from mill_objects.json import Json
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment
from mill_operator.core.observed.snapshot import Snapshot

REPLICA_SETS_AT_ONCE = 10
"""ReplicaSets in one page of a list. Usually there is one; other users may have put our labels on any number."""
REPLICA_SET_HASH = "pod-template-hash"
"""A label that the Deployment controller adds to each version's pods."""


async def older_template(
    client: KubeClient, resource: ObservedMillDeployment, snapshot: Snapshot, service: str, template: str
) -> Json | None:
    """Return the pod template of an older version of a service, by its hash, as its ReplicaSet keeps it.

    Any user can put our labels on a ReplicaSet: only those of the service's own Deployment count.
    """
    key = resource.key
    owners = {each.uid for each in snapshot.children if each.kind == "Deployment" and each.key.name == service}
    labels = f"{names.LABEL_DEPLOYMENT}={key.name},{names.LABEL_SERVICE}={service},{names.LABEL_TEMPLATE}={template}"
    after: str | None = None
    while True:
        answer = await client.list(REPLICA_SETS, key.namespace, labels=labels, limit=REPLICA_SETS_AT_ONCE, after=after)
        found = (each for each in fields.mappings(answer, "items") if _controller(each) in owners)
        if kept := next((kept for each in found if (kept := template_of(each))), None):
            return kept
        after = fields.text(fields.mapping(answer, "metadata"), "continue")
        if not after:
            return None


def template_of(replica_set: Mapping[str, Any]) -> Json | None:
    """Return the pod template of a ReplicaSet, as the operator applied it; None if it has none."""
    kept = fields.mapping(replica_set, "spec", "template")
    meta, spec, _ = fields.parts(kept)
    if not spec:
        return None
    labels = {name: value for name, value in fields.texts(meta, "labels").items() if name != REPLICA_SET_HASH}
    return {"metadata": {"labels": labels, "annotations": fields.texts(meta, "annotations")}, "spec": dict(spec)}


def _controller(found: Mapping[str, Any]) -> str:
    """Return the uid of an object's controller; empty if it has none."""
    owners = fields.mappings(fields.mapping(found, "metadata"), "ownerReferences")
    return next((fields.text(each, "uid") for each in owners if fields.flag(each, "controller")), "")
