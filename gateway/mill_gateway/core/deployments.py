"""Deployments as the API shows them."""

from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

from pydantic import BaseModel, Field

from mill_api.status import Replicas, State, StatusWarning
from mill_gateway.core.ownership import gitops_owner
from mill_gateway.objects.deployments import Deployment

WARNINGS_SHOWN: Final = 100
"""Number of warnings of several deployments that are shown together."""


class ServiceSummary(BaseModel):
    """A service of a deployment."""

    name: str
    state: State
    replicas: Replicas
    reason: str | None = Field(description="Why it is Failed or Suspect: a stable code.")
    message: str | None = Field(description="The same in plain words.")


class DeploymentView(BaseModel):
    """A MillDeployment."""

    name: str = Field(examples=["mill"])
    namespace: str
    rollout: str = Field(description="Id of the rollout that was asked for last.", examples=["4"])
    rolling_out: bool = Field(description="Whether that goes on.")
    success: bool | None = Field(description="How it ended; null while it goes on.")
    ready: bool = Field(description="Whether everything is healthy now.")
    message: str = Field(description="The same in plain words.", examples=["2 of 2 healthy"])
    owner: str | None = Field(description="The GitOps tool that manages it.", examples=["the Argo CD application shop"])
    services: list[ServiceSummary]
    warnings: list[StatusWarning] = Field(description="What is to be mended, though mill goes on.")


class DeploymentDetail(DeploymentView):
    """A MillDeployment with everything that is in the resource."""

    spec: dict[str, Any]
    status: dict[str, Any]


class DeploymentWarning(StatusWarning):
    """A warning, and whose it is."""

    deployment: str = Field(description="Name of the MillDeployment.")


def view_warnings(deployments: Iterable[Deployment]) -> list[DeploymentWarning]:
    """Return the warnings of several deployments, at most `WARNINGS_SHOWN`."""
    found = (
        DeploymentWarning(deployment=deployment.key.name, **each.model_dump())
        for deployment in deployments
        for each in deployment.status.warnings
    )
    return list(islice(found, WARNINGS_SHOWN))


def view_deployment(deployment: Deployment) -> DeploymentView:
    """Return a deployment as a list shows it."""
    status = deployment.status
    ready = next((each for each in status.conditions if each.type == "Ready"), None)
    asked = deployment.rollout_id
    rollout = status.rollout if status.rollout is not None and status.rollout.id == asked else None
    return DeploymentView(
        name=deployment.key.name,
        namespace=deployment.key.namespace,
        rollout=asked,
        rolling_out=rollout is None or rollout.finished_at is None,
        success=rollout.success if rollout and rollout.finished_at else None,
        ready=bool(ready and ready.status == "True"),
        message=ready.message if ready else "not seen by the operator yet",
        owner=gitops_owner(deployment.metadata, deployment.managers),
        services=[
            ServiceSummary(
                name=each.name, state=each.state, replicas=each.replicas, reason=each.reason, message=each.message
            )
            for each in status.services
        ],
        warnings=status.warnings,
    )


def view_detail(deployment: Deployment) -> dict[str, Any]:
    """Return a deployment with its spec and status: `DeploymentDetail` as plain JSON."""
    shown = view_deployment(deployment).model_dump(mode="json")
    return {**shown, "spec": deployment.spec, "status": deployment.raw_status}
