"""Kinds of objects that the gateway caches."""

from collections.abc import Hashable, Iterable
from typing import Final

from mill_api import names
from mill_gateway.objects.claims import Claim, project_claim
from mill_gateway.objects.deployments import Deployment, project_deployment
from mill_gateway.objects.ingresses import Ingress, project_ingress
from mill_gateway.objects.jobs import Job, project_job
from mill_gateway.objects.nodes import Node, NodePod, project_node, project_node_pod
from mill_gateway.objects.pods import Pod, project_pod
from mill_gateway.stores.store import Kind
from mill_kube.resources import CLAIMS, INGRESSES, JOBS, MILL_DEPLOYMENTS, NODES, PODS
from mill_objects.key import Key

RUNNING: Final = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed"
"""Field selector of the pods that occupy a node."""


def _program_and_run(pod: Pod) -> Iterable[Hashable]:
    """Return what subscribers of a pod's changes wait for.

    A subscriber of one run waits for its key alone, since a task may have very many runs at once.
    """
    return (pod.program,) if pod.run is None else (pod.program, Key(pod.key.namespace, pod.run))


DEPLOYMENTS: Final[Kind[Deployment]] = Kind(resource=MILL_DEPLOYMENTS, project=project_deployment)

PODS_OF_PROGRAMS: Final[Kind[Pod]] = Kind(
    resource=PODS,
    project=project_pod,
    group=lambda each: each.program,
    topics=_program_and_run,
    labels=names.CHILD_SELECTOR,
)
"""Pods of services and of runs, by their `Program`."""

RUNS: Final[Kind[Job]] = Kind(resource=JOBS, project=project_job, labels=f"{names.CHILD_SELECTOR},{names.LABEL_TASK}")

VOLUMES: Final[Kind[Claim]] = Kind(resource=CLAIMS, project=project_claim, labels=names.CHILD_SELECTOR)

INGRESSES_OF_SERVICES: Final[Kind[Ingress]] = Kind(
    resource=INGRESSES, project=project_ingress, labels=names.CHILD_SELECTOR
)
"""The Ingress of a service has its name."""

ALL_NODES: Final[Kind[Node]] = Kind(resource=NODES, project=project_node)

PODS_OF_NODES: Final[Kind[NodePod]] = Kind(
    resource=PODS,
    project=project_node_pod,
    group=lambda each: each.node,
    topics=lambda each: (each.node,),
    fields=RUNNING,
)
"""All pods of the cluster that occupy a node, by the node's name."""
