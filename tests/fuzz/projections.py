"""Every function that reads an object of the API server's, with a good one of its kind."""

import json
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, Final, NamedTuple

from mill_api.gitops import gitops_owner
from mill_api.owner import Owner
from mill_api.revisions import read_revision
from mill_api.rollback import rollback_spec
from mill_api.rollout_ids import rollout_id
from mill_gateway.core.deployments import view_deployment
from mill_gateway.core.revisions import compare, view_revisions
from mill_gateway.core.services import view_services
from mill_gateway.core.usage import read_usage
from mill_gateway.core.volumes import view_volume
from mill_gateway.objects import claims, deployments, ingresses, jobs, nodes, pods
from mill_gateway.objects.amounts import requested
from mill_gateway.objects.deployments import managers_of
from mill_kube.errors import ApiError
from mill_objects.fields import Unreadable, mapping, mappings
from mill_objects.key import Key
from mill_operator.caches import CHILD_KINDS
from mill_operator.children.older_templates import template_of
from mill_operator.core.observed import allocatable
from mill_operator.core.observed import children as observed_children
from mill_operator.core.observed import events as observed_events
from mill_operator.core.observed import jobs as observed_jobs
from mill_operator.core.observed import nodes as observed_nodes
from mill_operator.core.observed import pods as observed_pods
from mill_operator.core.observed.edits import read_edit
from mill_operator.core.observed.mill_deployments import project_mill_deployment
from mill_operator.core.observed.ownership import found_object
from mill_operator.core.routes.namespace_rules import project_namespace
from mill_operator.leader_election import project_lease
from tests.fuzz import samples
from tests.fuzz.mutations import Json, mutated


class Projection(NamedTuple):
    """A function of one object."""

    name: str
    project: Callable[[Any], object]
    body: Json


def _shown(body: Any) -> object:
    """Read a MillDeployment, and what is worked out of it later, for one request."""
    seen = deployments.project_deployment(body)
    return (
        view_deployment(seen),
        list(view_services(seen, seen.services, lambda _: (), {})),
        seen.tasks,
        seen.replicas("web"),
        seen.rollout_id,
    )


def _whose(body: Any) -> object:
    return found_object("Deployment", body, Owner(Key("shop", "mill"), "uid"))


def _edited(kind: str, body: Any) -> object:
    """Read what an apply of a good object has put back."""
    good = samples.CHILDREN[kind]
    return read_edit(body, good, good)


def _refused(body: Any) -> object:
    error = ApiError.from_status(409, json.dumps(body).encode())
    return error.namespace_terminating, error.retry_after, str(error)


def _revision(body: Any) -> object:
    """Read a revision, show it, and go back to it."""
    found = read_revision(body, "uid")
    if found is None:
        return None
    deployment = deployments.project_deployment(samples.MILL_DEPLOYMENT)
    back = [rollback_spec(deployment.spec, found, [found], services) for services in (None, ["web"])]
    return view_revisions(deployment, [found, found]), compare(deployment, found, None), back


PROJECTIONS: Final = (
    Projection("operator: MillDeployment", project_mill_deployment, samples.MILL_DEPLOYMENT),
    Projection("operator: Pod", observed_pods.project_pod, samples.POD),
    Projection("operator: Pod without logs", partial(observed_pods.project_pod, logs=False), samples.POD),
    Projection("operator: Job", observed_jobs.project_job, samples.JOB),
    Projection("operator: Lease", project_lease, samples.LEASE),
    Projection("operator: Event", lambda body: observed_events.project_events(mappings(body, "items")), samples.EVENTS),
    Projection("operator: Node", observed_nodes.project_node, samples.NODE),
    Projection("operator: Node's resources", allocatable.project_allocatable, samples.NODE),
    Projection("operator: Namespace", project_namespace, samples.NAMESPACE),
    Projection("operator: ReplicaSet", template_of, samples.REPLICA_SET),
    *(
        Projection(f"operator: edit of a {kind}", partial(_edited, kind), samples.CHILDREN[kind])
        for kind in CHILD_KINDS
    ),
    *(
        Projection(f"operator: {kind}", partial(observed_children.project_child, kind), samples.CHILDREN[kind])
        for kind in CHILD_KINDS
    ),
    Projection("operator: looked-up object", _whose, samples.CHILDREN["Deployment"]),
    Projection("gateway: MillDeployment", _shown, samples.MILL_DEPLOYMENT),
    Projection("gateway: Pod", pods.project_pod, samples.POD),
    Projection("gateway: Pod of a node", nodes.project_node_pod, samples.POD),
    Projection("gateway: Pod's requests", lambda body: requested(mapping(body, "spec")), samples.POD),
    Projection("gateway: Node", nodes.project_node, samples.NODE),
    Projection("gateway: Ingress", ingresses.project_ingress, samples.CHILDREN["Ingress"]),
    Projection("gateway: Job", jobs.project_job, samples.JOB),
    Projection(
        "gateway: PersistentVolumeClaim", lambda body: view_volume(claims.project_claim(body), ()), samples.CLAIM
    ),
    Projection("gateway: revision", _revision, samples.REVISION),
    Projection("gateway: PodMetrics", read_usage, samples.POD_METRICS),
    Projection(
        "owner",
        lambda body: gitops_owner(mapping(body, "metadata"), managers_of(mapping(body, "metadata"))),
        samples.MILL_DEPLOYMENT,
    ),
    Projection("rollout", lambda body: rollout_id(mapping(body, "metadata")), samples.MILL_DEPLOYMENT),
    Projection("refusal", _refused, samples.REFUSAL),
)


def run(projection: Projection, seed: int, count: int) -> int:
    """Read so many odd objects, and return how many of them can be read.

    An error that is no `Unreadable` is raised, with the object and how to make it again as its note.
    """
    rng, read = Random(seed), 0
    for number in range(count):
        body = mutated(rng, projection.body)
        try:
            projection.project(body)
            read += 1
        except Unreadable:
            pass
        except Exception as error:
            error.add_note(f"{projection.name}, seed {seed}, object {number}: {body!r}"[:20_000])
            raise
    return read
