"""Deployments as the API shows them."""

from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

from pydantic import BaseModel, Field

from mill_api.status import Replicas, State, StatusWarning
from mill_gateway.core.ownership import gitops_owner
from mill_gateway.objects.deployments import Deployment

WARNINGS_SHOWN: Final = 100
"""How many warnings of several deployments are shown together."""


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


def warnings(deployments: Iterable[Deployment]) -> list[DeploymentWarning]:
    """Return the warnings of several deployments, so many at most."""
    found = (
        DeploymentWarning(deployment=deployment.key.name, **each.model_dump())
        for deployment in deployments
        for each in deployment.status.warnings
    )
    return list(islice(found, WARNINGS_SHOWN))


def summary(deployment: Deployment) -> DeploymentView:
    """Return what a list shows."""
    status = deployment.status
    ready = next((each for each in status.conditions if each.type == "Ready"), None)
    asked = deployment.rollout_id
    told = status.rollout if status.rollout is not None and status.rollout.id == asked else None
    return DeploymentView(
        name=deployment.key.name,
        namespace=deployment.key.namespace,
        rollout=asked,
        rolling_out=told is None or told.finished_at is None,
        success=told.success if told and told.finished_at else None,
        ready=bool(ready and ready.status == "True"),
        message=ready.message if ready else "not seen by the operator yet",
        owner=gitops_owner(deployment.metadata, deployment.metadata["managers"]),
        services=[
            ServiceSummary(
                name=each.name, state=each.state, replicas=each.replicas, reason=each.reason, message=each.message
            )
            for each in status.services
        ],
        warnings=status.warnings,
    )


def detail_of(deployment: Deployment) -> dict[str, Any]:
    """Return what is shown of one: `DeploymentDetail` as plain JSON."""
    shown = summary(deployment).model_dump(mode="json")
    return {**shown, "spec": deployment.spec, "status": deployment.raw_status}
