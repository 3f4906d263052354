"""Pods that are not Mill's, as if they were: one service for each controller.

They get Mill's labels and the name of their service for their main container, so that the same projections read them.
A pod of a ReplicaSet belongs to its Deployment.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from mill_api import names
from mill_objects import fields
from mill_objects.json import Json, JsonView

HASH: Final = "pod-template-hash"
"""Label of the pods and ReplicaSets of a Deployment."""
REVISION_HASH: Final = "controller-revision-hash"
"""Label of the pods of a StatefulSet or DaemonSet."""
REVISION: Final = "deployment.kubernetes.io/revision"
"""Annotation of a ReplicaSet: the highest one is the template that its Deployment wants."""
MAIN: Final = "kubectl.kubernetes.io/default-container"
"""Annotation of a pod: its main container; without it, the first one is."""
UNKNOWN_TEMPLATE: Final = "recorded"


class Controller(NamedTuple):
    """What a pod belongs to."""

    kind: str
    name: str

    def labels(self, template: str) -> dict[str, str]:
        """Return the labels with which its objects are read."""
        return {
            names.LABEL_DEPLOYMENT: f"{self.kind}/{self.name}",
            names.LABEL_SERVICE: self.name,
            names.LABEL_TEMPLATE: template,
        }


def is_controller(deployment: str) -> bool:
    """Whether the label of a MillDeployment is one of `Controller`: no name of an object has a slash."""
    return "/" in deployment


def is_ours(body: JsonView) -> bool:
    """Whether an object is one of Mill's."""
    labels = fields.texts(fields.mapping(body, "metadata"), "labels")
    program = labels.get(names.LABEL_SERVICE) or labels.get(names.LABEL_TASK)
    return labels.get(names.LABEL_MANAGED_BY) == names.MANAGED_BY and bool(program)


def controller_of(pod: JsonView, deployments: Mapping[str, str]) -> Controller:
    """Return the controller of a pod. `deployments` has the Deployment of each ReplicaSet that was recorded, by uid."""
    meta = fields.mapping(pod, "metadata")
    owner = _owner(meta)
    kind, name = fields.text(owner, "kind"), fields.text(owner, "name")
    if not name:
        return Controller("Pod", fields.text(meta, "name"))
    if kind != "ReplicaSet":
        return Controller(kind, name)
    suffix = f"-{fields.texts(meta, 'labels').get(HASH, '')}"
    if (found := deployments.get(fields.text(owner, "uid"))) is not None:
        return Controller("Deployment", found)
    return Controller("Deployment", name.removesuffix(suffix)) if len(suffix) > 1 else Controller(kind, name)


def deployments_of(replica_sets: Iterable[JsonView]) -> dict[str, str]:
    """Return the name of the Deployment of each ReplicaSet, by its uid."""
    owners = ((fields.mapping(each, "metadata"), _owner(fields.mapping(each, "metadata"))) for each in replica_sets)
    return {
        fields.text(meta, "uid"): fields.text(owner, "name")
        for meta, owner in owners
        if fields.text(owner, "kind") == "Deployment" and fields.text(owner, "name")
    }


def newest_templates(replica_sets: Iterable[JsonView]) -> dict[tuple[str, str], str]:
    """Return the hash of the template that each Deployment wants, by namespace and name."""
    newest: dict[tuple[str, str], tuple[int, str]] = {}
    for each in replica_sets:
        meta = fields.mapping(each, "metadata")
        key = fields.text(meta, "namespace"), fields.text(_owner(meta), "name")
        revision = fields.number(fields.mapping(meta, "annotations"), REVISION)
        template = fields.texts(meta, "labels").get(HASH, "")
        if template and revision >= newest.get(key, (0, ""))[0]:
            newest[key] = revision, template
    return {key: template for key, (_, template) in newest.items()}


def adopted_pod(pod: JsonView, controller: Controller) -> tuple[Json, str]:
    """Return a pod as one of a service, and the name that its main container had."""
    meta, spec, status = fields.parts(pod)
    labels = fields.texts(meta, "labels")
    template = labels.get(HASH) or labels.get(REVISION_HASH) or UNKNOWN_TEMPLATE
    declared = [fields.text(each, "name") for each in fields.mappings(spec, "containers")]
    main = fields.texts(meta, "annotations").get(MAIN, "")
    main = main if main in declared else next(iter(declared), "")
    own = {
        "metadata": {**meta, "labels": {**labels, **controller.labels(template)}},
        "spec": {**spec, **_renamed(spec, ("containers", "initContainers"), main, controller.name)},
        "status": {
            **status,
            **_renamed(status, ("containerStatuses", "initContainerStatuses"), main, controller.name),
        },
    }
    return {**pod, **own}, main


def adopted_deployment(deployment: JsonView, template: str) -> Json:
    """Return a Deployment as one of a service."""
    meta = fields.mapping(deployment, "metadata")
    controller = Controller("Deployment", fields.text(meta, "name"))
    return {**deployment, "metadata": {**meta, "labels": controller.labels(template)}}


def adopted_claims(claims: Iterable[JsonView], pods: Iterable[JsonView]) -> Iterator[JsonView]:
    """Yield claims with the labels of the first pod that mounts them."""
    users: dict[tuple[str, str], Mapping[str, str]] = {}
    for pod in pods:
        meta, spec, _ = fields.parts(pod)
        for volume in fields.mappings(spec, "volumes"):
            mounted = fields.text(fields.mapping(volume, "persistentVolumeClaim"), "claimName")
            users.setdefault((fields.text(meta, "namespace"), mounted), fields.texts(meta, "labels"))
    for claim in claims:
        meta = fields.mapping(claim, "metadata")
        labels = users.get((fields.text(meta, "namespace"), fields.text(meta, "name")))
        yield claim if is_ours(claim) or labels is None else {**claim, "metadata": {**meta, "labels": labels}}


def adopted_event(event: JsonView, mains: Mapping[str, tuple[str, str]]) -> JsonView:
    """Return an event whose container has the name of its service. `mains`: the old and new name by the pod's uid."""
    about = fields.mapping(event, "involvedObject")
    old, new = mains.get(fields.text(about, "uid"), ("", ""))
    part = fields.text(about, "fieldPath")
    if not old or not part.endswith(f"{{{old}}}"):
        return event
    return {**event, "involvedObject": {**about, "fieldPath": f"{part.removesuffix(f'{old}}}')}{new}}}"}}


def _owner(meta: JsonView) -> JsonView:
    owners = fields.mappings(meta, "ownerReferences")
    return next((each for each in owners if fields.flag(each, "controller")), {})


def _renamed(part: JsonView, lists: Iterable[str], old: str, new: str) -> Json:
    """Return lists of containers, in which the one of a name has another, and none other has that."""
    swapped = {old: new, new: f"{new} (injected)"} if old != new else {}
    return {
        name: [{**each, "name": swapped.get(called := fields.text(each, "name"), called)} for each in found]
        for name in lists
        if (found := fields.mappings(part, name))
    }
