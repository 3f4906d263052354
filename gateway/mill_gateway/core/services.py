"""Services and their replicas as the API shows them. Verdicts are the operator's, read from the status."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

from pydantic import BaseModel, Field

from mill_api.service_status import OutsideAddress, ServiceStatus, State
from mill_gateway.core.reach import ServiceRoute, view_routes
from mill_gateway.core.serving import update_text
from mill_gateway.objects.deployments import Deployment, desired_replicas
from mill_gateway.objects.ingresses import Ingress
from mill_gateway.objects.pods import Pod
from mill_objects import fields
from mill_objects.json import JsonView

AllocationStatus = Literal["pulling", "starting", "running", "healthy", "stopped", "failed"]


class ReplicaCount(BaseModel):
    """Numbers of replicas."""

    desired: int = Field(description="Desired replicas.")
    healthy: int = Field(description="Ready replicas of the current revision.")
    serving: int = Field(description="Ready replicas of any revision.")


class Allocation(BaseModel):
    """A replica: a pod."""

    id: str = Field(description="Name of the pod.", examples=["web-6d4f9-x2x8k"])
    node: str = Field(description="Its node; empty until it has one.", examples=["node-1"])
    status: AllocationStatus
    address: str | None = Field(description="IP address and port; null until it has one.")
    cpu: float = Field(description="CPU cores that it requests.")
    memory: int = Field(description="Memory that it requests, in bytes.")
    started_at: str | None = Field(description="Last start of its program.")
    restarts: int = Field(description="Number of restarts of its program.")
    current: bool = Field(description="Whether it is of the service's current revision.")


class NamedPort(BaseModel):
    """A named port of a service."""

    name: str = Field(examples=["metrics"])
    number: int = Field(examples=[9090])
    protocol: str = Field(examples=["tcp"])


class ServiceView(BaseModel):
    """A service."""

    name: str
    image: str
    replicas: ReplicaCount
    allocations: list[Allocation]
    namespace: str
    deployment: str = Field(description="Name of its MillDeployment.")
    serving_images: list[str] = Field(
        description="Images of its ready replicas, the most frequent first. At most three."
    )
    update: str | None = Field(
        description="What becomes of an update while replicas of another revision serve, for people.",
        examples=["update to web:3 failed (0/2)"],
    )
    port: int | None = Field(description="Port on which its program listens.")
    ports: list[NamedPort] = Field(description="Its named ports, beside that one.")
    outside: list[OutsideAddress] = Field(
        description="Addresses of ports outside the cluster, as far as a load balancer has given them."
    )
    routes: list[ServiceRoute] = Field(description="Its routes from outside the cluster.")
    state: State = Field(description="State, by the operator's verdict.")
    reason: str | None = Field(description="Why it is Failed, Suspect or Waiting: a code of docs/failure-codes.md.")
    message: str | None = Field(description="Explanation of `reason` for people.")
    detail: str | None = Field(
        description="What matters beside `message`, such as the image, the command, or the last line of the log."
    )
    suggestion: str | None = Field(description="What to do about it.")
    created_at: str | None = Field(description="Creation of its oldest replica that is not stopping; null without one.")
    changed_at: str | None = Field(description="Time of the last change of `state`, or of one more healthy replica.")
    since: str | None = Field(description="Time since which it is Failed, or `reason` has been observed.")
    due_at: str | None = Field(
        description="Time at which what is wrong, or is in progress, becomes a failure, unless it ends before."
    )
    root: str | None = Field(description="The failed service from which its failure follows.")


def view_services(
    deployment: Deployment,
    services: Iterable[JsonView],
    pods_of: Callable[[str], Iterable[Pod]],
    ingresses: Mapping[str, Ingress],
) -> Iterator[dict[str, object]]:
    """Yield services of a deployment in the order of the file: `ServiceView` as plain JSON.

    `pods_of` returns the pods of a service by its name, including those of another deployment that had the name first;
    `ingresses` has the Ingresses of the deployment, by service.
    The result is plain JSON since building models of thousands of replicas would take most of an answer's time.
    """
    judged = {each.name: each for each in deployment.status.services}
    for asked in services:
        verdict = judged.get(asked["name"])
        status = verdict or ServiceStatus(name=asked["name"])
        ours = [pod for pod in pods_of(asked["name"]) if pod.deployment == deployment.key.name]
        allocations = [view_allocation(pod, status) for pod in ours]
        yield {
            "name": asked["name"],
            "image": fields.text(asked, "image"),
            "replicas": {
                "desired": desired_replicas(asked, verdict),
                "healthy": status.replicas.healthy,
                "serving": status.replicas.serving,
            },
            "allocations": allocations,
            "namespace": deployment.key.namespace,
            "deployment": deployment.key.name,
            "serving_images": status.serving_images,
            "update": update_text(status),
            "port": fields.optional_number(asked, "port"),
            "ports": [
                {
                    "name": fields.text(each, "name"),
                    "number": fields.number(each, "number"),
                    "protocol": fields.text(each, "protocol", "tcp"),
                }
                for each in fields.mappings(asked, "ports")
            ],
            "outside": [each.model_dump() for each in status.outside],
            "routes": view_routes(asked, ingresses.get(asked["name"])),
            "state": status.state.value,
            "reason": status.reason,
            "message": status.message,
            "detail": status.detail,
            "suggestion": status.suggestion,
            "created_at": min((each.created_at for each in ours if not each.terminating), default=None),
            "changed_at": status.moved_at,
            "since": status.failed_at or status.since,
            "due_at": status.due_at,
            "root": status.root,
        }


def view_allocation(pod: Pod, service: ServiceStatus | None = None) -> dict[str, object]:
    """Return a pod as the API shows it: `Allocation` as plain JSON."""
    address = pod.address if pod.port is None or pod.address is None else _address(pod.address, pod.port)
    return {
        "id": pod.key.name,
        "node": pod.node or "",
        "status": allocation_status(pod, service),
        "address": address,
        "cpu": pod.amounts.cpu,
        "memory": pod.amounts.memory,
        "started_at": pod.started_at,
        "restarts": pod.restarts,
        "current": service is not None and pod.template is not None and pod.template == service.template,
    }


def allocation_status(pod: Pod, service: ServiceStatus | None = None) -> AllocationStatus:
    """Return the status of a pod. One that is not ready has failed if the operator's verdict of its revision is so."""
    if pod.terminating or pod.phase == "Succeeded":
        return "stopped"
    if pod.phase == "Failed":
        return "failed"
    if pod.ready:
        return "healthy"
    failed = service is not None and service.state is State.FAILED and service.template == pod.template
    if failed or pod.waits_after_failure:
        return "failed"
    if pod.phase == "Running" and pod.waiting is None:
        return "running"
    return "starting" if pod.image_present or pod.node is None else "pulling"


def _address(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
