"""The objects of one frame → what the operator's caches and lookups would have of them.

An object that cannot be read is left out with a note, as the operator's reflectors do.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from mill_api import names
from mill_objects import fields
from mill_objects.fields import Unreadable
from mill_objects.json import Json, JsonView
from mill_objects.key import Key
from mill_objects.printable import one_line
from mill_operator.core.observed.allocatable import LargestNode, project_allocatable
from mill_operator.core.observed.children import ObservedChild, project_child
from mill_operator.core.observed.events import ObservedEvent, project_events
from mill_operator.core.observed.lookup_results import LookupResults
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment, project_mill_deployment
from mill_operator.core.observed.nodes import ObservedNode, project_node
from mill_operator.core.observed.pods import ObservedPod, project_pod
from mill_operator.recordings import foreign, specs

DEFAULT_NAMESPACE: Final = "default"
T = TypeVar("T")


@dataclass(slots=True)
class Group:
    """The objects of one MillDeployment, or of one controller that is not Mill's."""

    pods: list[ObservedPod] = field(default_factory=list)
    children: list[ObservedChild] = field(default_factory=list)
    resource: ObservedMillDeployment | None = None
    templates: dict[str, str] = field(default_factory=dict)
    """The hash of the template that each Deployment wants, by service."""
    containers: dict[str, JsonView] = field(default_factory=dict)
    """The main container of each service, as its newest template declares it."""


@dataclass(slots=True)
class World:
    """Everything that exists at one moment."""

    groups: dict[Key, Group] = field(default_factory=dict)
    lookups: LookupResults = field(default_factory=LookupResults)
    notes: list[str] = field(default_factory=list)
    runs: int = 0
    """Pods of tasks and Jobs, which are no services."""
    foreign: set[str] = field(default_factory=set)
    """Services of controllers that are not Mill's."""

    def group(self, namespace: str, deployment: str) -> Group:
        """Return the group of a MillDeployment."""
        return self.groups.setdefault(Key(namespace, deployment), Group())


def world_of(objects: Iterable[JsonView]) -> World:
    """Return what the objects of a frame mean."""
    kinds: dict[str, list[JsonView]] = {}
    for each in objects:
        kinds.setdefault(fields.text(each, "kind"), []).append(_identified(each))
    made = World()
    pods, mains = _adopted_pods(kinds.get("Pod", ()), kinds.get("ReplicaSet", ()), made)
    nodes = kinds.get("Node", ())
    events = [foreign.adopted_event(each, mains) for each in kinds.get("Event", ())]
    made.lookups = LookupResults(_events(events), _nodes(nodes), _largest(nodes))
    for resource in kinds.get("MillDeployment", ()):
        observed = _read(made, resource, project_mill_deployment)
        if observed is not None and not observed.terminating and _has_valid_spec(made, observed):
            made.group(*observed.key).resource = observed
    _add_pods(made, pods)
    claims = foreign.adopted_claims(kinds.get("PersistentVolumeClaim", ()), pods)
    _add_children(made, "PersistentVolumeClaim", claims)
    _add_deployments(made, kinds.get("Deployment", ()), kinds.get("ReplicaSet", ()))
    return made


def _identified(body: JsonView) -> Json:
    """Return an object with an identity, also one that was written by hand or is printed without it."""
    meta = fields.mapping(body, "metadata")
    namespace, name = fields.text(meta, "namespace") or DEFAULT_NAMESPACE, fields.text(meta, "name")
    defaults = {"uid": f"{fields.text(body, 'kind')}/{namespace}/{name}", "resourceVersion": "0", "generation": 1}
    return {**body, "metadata": {**defaults, **meta, "namespace": namespace}}


def _adopted_pods(
    pods: Sequence[JsonView], replica_sets: Sequence[JsonView], made: World
) -> tuple[list[JsonView], dict[str, tuple[str, str]]]:
    """Return all pods as Mill's, and the old and new names of containers, by the uid of their pod."""
    deployments = foreign.deployments_of(replica_sets)
    found: list[JsonView] = []
    mains: dict[str, tuple[str, str]] = {}
    for pod in pods:
        if foreign.is_ours(pod):
            found.append(pod)
            continue
        controller = foreign.controller_of(pod, deployments)
        if controller.kind == "Job":
            made.runs += 1
            continue
        adopted, main = foreign.adopted_pod(pod, controller)
        mains[fields.text(adopted["metadata"], "uid")] = main, controller.name
        made.foreign.add(controller.name)
        found.append(adopted)
    return found, mains


def _add_pods(made: World, pods: Sequence[JsonView]) -> None:
    newest: dict[tuple[Key, str], ObservedPod] = {}
    for body in pods:
        pod = _read(made, body, project_pod)
        if pod is None:
            continue
        if not pod.service:
            made.runs += 1
            continue
        key = Key(pod.key.namespace, pod.deployment)
        group = made.group(*key)
        group.pods.append(pod)
        known = newest.get((key, pod.service))
        if known is None or (pod.created, not pod.terminating) >= (known.created, not known.terminating):
            newest[key, pod.service] = pod
            group.templates[pod.service] = pod.template
            group.containers[pod.service] = _container(fields.mapping(body, "spec"), pod.service)


def _add_deployments(made: World, deployments: Iterable[JsonView], replica_sets: Sequence[JsonView]) -> None:
    newest = foreign.newest_templates(replica_sets)
    for each in deployments:
        meta = fields.mapping(each, "metadata")
        namespace, name = fields.text(meta, "namespace"), fields.text(meta, "name")
        pod = fields.mapping(each, "spec", "template")
        template = fields.texts(fields.mapping(pod, "metadata"), "labels").get(names.LABEL_TEMPLATE, "")
        if foreign.is_ours(each):
            body: JsonView = each
        else:
            made.foreign.add(name)
            template = newest.get((namespace, name), "")
            body = foreign.adopted_deployment(each, template)
        child = _read(made, body, lambda body: project_child("Deployment", body))
        if child is None:
            continue
        group = made.group(namespace, child.deployment)
        group.children.append(child)
        if template:
            group.templates[child.service] = template
        group.containers[child.service] = _container(fields.mapping(pod, "spec"), child.service)


def _add_children(made: World, kind: str, bodies: Iterable[JsonView]) -> None:
    for body in bodies:
        child = _read(made, body, lambda body: project_child(kind, body))
        if child is not None and child.service:
            made.group(child.key.namespace, child.deployment).children.append(child)


def _has_valid_spec(made: World, resource: ObservedMillDeployment) -> bool:
    """Return whether a spec can be rendered. One that was accepted once is, whatever is refused today."""
    spec = resource.spec
    if problem := specs.refused(spec):
        made.notes.append(f"the spec of MillDeployment {one_line(str(resource.key), 600)} is refused: {problem}")
    return not specs.invalid(spec)


def _container(spec: JsonView, service: str) -> JsonView:
    containers = fields.mappings(spec, "containers")
    return next((each for each in containers if fields.text(each, "name") == service), next(iter(containers), {}))


def _read(made: World, body: JsonView, project: Callable[[Json], T]) -> T | None:
    try:
        return project({**body})
    except Unreadable as error:
        name = one_line(fields.text(fields.mapping(body, "metadata"), "name"), 253)
        made.notes.append(f"left out {fields.text(body, 'kind')} {name or 'without a name'}: {error}")
        return None


def _events(bodies: Iterable[JsonView]) -> dict[str, tuple[ObservedEvent, ...]]:
    about: dict[str, list[JsonView]] = {}
    for each in bodies:
        about.setdefault(fields.text(fields.mapping(each, "involvedObject"), "uid"), []).append(each)
    return {uid: project_events(each) for uid, each in about.items() if uid}


def _nodes(bodies: Iterable[JsonView]) -> dict[str, ObservedNode]:
    return {fields.text(fields.mapping(each, "metadata"), "name"): project_node(each) for each in bodies}


def _largest(nodes: Iterable[JsonView]) -> Mapping[str, float]:
    largest = LargestNode()
    for each in nodes:
        largest = largest.or_larger(project_allocatable(each))
    return largest.amounts
