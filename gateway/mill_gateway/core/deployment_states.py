"""The state of a MillDeployment as a whole: the one rule for `mill status` and its exit code."""

from typing import Literal

from pydantic import BaseModel, Field

from mill_api.service_status import State
from mill_api.status import MillDeploymentStatus
from mill_gateway.objects.deployments import Deployment

DeploymentState = Literal["Healthy", "InProgress", "Failed", "Refused"]


class DeploymentSummary(BaseModel):
    """A MillDeployment, without its services."""

    name: str = Field(examples=["mill"])
    namespace: str
    state: DeploymentState = Field(
        description="`Refused`: its spec was refused, and nothing was changed. `Failed`: a service has failed. "
        "`InProgress`: its rollout has not finished. A service of one that is Healthy may have lost a pod."
    )
    message: str = Field(description="Explanation of `state` for people.", examples=["2 of 2 healthy"])
    paused: bool = Field(description="Whether it is paused: changes are kept, and not carried out.")
    service_count: int = Field(description="Services of its spec.")
    healthy_count: int = Field(description="Those of them that are Healthy.")
    rollout: str = Field(description="Id of the latest rollout.", examples=["4"])
    started_at: str | None = Field(description="Time at which the rollout started; null before.")
    finished_at: str | None = Field(description="Time at which it finished; null while it is in progress.")


def view_state(deployment: Deployment) -> DeploymentSummary:
    """Return the state of a deployment as the API shows it."""
    status, asked = deployment.status, deployment.rollout_id
    healthy = {each.name for each in status.services if each.state is State.HEALTHY}
    rollout = status.rollout if status.rollout is not None and status.rollout.id == asked else None
    return DeploymentSummary(
        name=deployment.key.name,
        namespace=deployment.key.namespace,
        state=deployment_state(status, asked),
        message=_message(deployment, is_current=rollout is not None),
        paused=deployment.is_paused,
        service_count=len(deployment.services),
        healthy_count=sum(each["name"] in healthy for each in deployment.services),  # others are about to be removed
        rollout=asked,
        started_at=rollout.started_at if rollout is not None else None,
        finished_at=rollout.finished_at if rollout is not None else None,
    )


def _message(deployment: Deployment, *, is_current: bool) -> str:
    """Return the explanation of a state. `is_current` says whether the status is that of the latest rollout."""
    summary = deployment.status.summary if is_current or deployment.is_paused else None
    return summary or "not observed by the operator yet"


def deployment_state(status: MillDeploymentStatus, rollout: str) -> DeploymentState:
    """Return the state by a status. `rollout` is the id of the latest rollout, which it may not have yet."""
    current = status.rollout
    if current is None or current.id != rollout:
        return "InProgress"
    if current.refused is not None:
        return "Refused"
    if current.error is not None or any(each.state is State.FAILED for each in status.services):
        return "Failed"
    if current.finished_at is None:
        return "InProgress"
    ready = status.ready_condition
    if ready is not None and ready.status != "True":
        return "InProgress" if ready.reason == "Progressing" else "Failed"
    return "Healthy"
