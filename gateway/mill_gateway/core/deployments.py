"""Deployments as the API shows them."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from pydantic import BaseModel, Field

from mill_api.gitops import gitops_owner
from mill_api.rollout_results import RolloutResult, current_result, rollout_results
from mill_api.rollouts import Regression
from mill_api.service_status import Replicas, State
from mill_api.status import StatusWarning
from mill_gateway.core.reach import ServiceRoute, view_routes
from mill_gateway.core.rollout_tasks import RolloutTaskView, view_rollout_tasks
from mill_gateway.core.schedules import ScheduledTask, view_schedules
from mill_gateway.core.serving import update_text
from mill_gateway.objects.deployments import Deployment
from mill_gateway.objects.ingresses import Ingress

WARNINGS_SHOWN: Final = 100
"""Number of warnings of several deployments that are shown together."""
REGRESSIONS_SHOWN: Final = 100
"""Number of rollouts with regressions that are shown together."""


class ServiceSummary(BaseModel):
    """A service of a deployment."""

    name: str
    state: State
    replicas: Replicas
    serving_images: list[str] = Field(description="Images of its ready pods, the most frequent first. At most three.")
    update: str | None = Field(
        description="What becomes of an update while pods of another version serve, for people.",
        examples=["update to web:3 failed (0/2)"],
    )
    reason: str | None = Field(description="Why the service is Failed or Suspect: a stable code.")
    message: str | None = Field(description="Explanation of `reason` for people.")


class DeploymentView(BaseModel):
    """A MillDeployment."""

    name: str = Field(examples=["mill"])
    namespace: str
    rollout: str = Field(description="Id of the latest rollout.", examples=["4"])
    rolling_out: bool = Field(description="Whether this rollout is in progress.")
    success: bool | None = Field(description="Whether it succeeded; null while it is in progress.")
    regressed: list[Regression] = Field(description="Failures after it had finished, the first of each service.")
    paused: bool = Field(description="Whether it is paused: changes are kept, and not carried out.")
    ready: bool = Field(description="Whether all services are healthy now.")
    message: str = Field(description="Explanation of `ready` for people.", examples=["2 of 2 healthy"])
    owner: str | None = Field(description="The GitOps tool that manages it.", examples=["the Argo CD application shop"])
    services: list[ServiceSummary]
    warnings: list[StatusWarning] = Field(description="Problems that do not stop mill but need a change.")


class DeploymentRoute(ServiceRoute):
    """A route, and the service that has it."""

    service: str


class DeploymentDetail(DeploymentView):
    """A MillDeployment with its routes, tasks, rollouts, spec and status."""

    routes: list[DeploymentRoute] = Field(description="The routes of its services from outside the cluster.")
    rollout_tasks: list[RolloutTaskView] = Field(
        description="Its tasks that run in rollouts, those with `before` or `after`."
    )
    schedules: list[ScheduledTask] = Field(description="Its tasks on a schedule, the next one first.")
    rollouts: list[RolloutResult] = Field(description="The results of its last rollouts, newest first.")
    spec: dict[str, Any]
    status: dict[str, Any]


class DeploymentWarning(StatusWarning):
    """A warning, and the MillDeployment that has it."""

    deployment: str = Field(description="Name of the MillDeployment.")
    namespace: str


class RegressedRollout(BaseModel):
    """The current rollout of a MillDeployment of which a service has failed since it finished."""

    deployment: str = Field(description="Name of the MillDeployment.")
    namespace: str
    rollout: str = Field(description="Id of the rollout.", examples=["4"])
    result: str = Field(
        description="The result for people.",
        examples=["succeeded, then web failed after 14 s: container exited with code 1"],
    )
    regressed: list[Regression] = Field(description="The failures, the first of each service.")


def view_regressions(deployments: Iterable[Deployment]) -> list[RegressedRollout]:
    """Return the current rollouts that have regressed, at most `REGRESSIONS_SHOWN`."""
    found = (
        RegressedRollout(
            deployment=deployment.key.name,
            namespace=deployment.key.namespace,
            rollout=result.id,
            result=result.result,
            regressed=result.regressed,
        )
        for deployment in deployments
        if (current := deployment.status.rollout) is not None
        and current.regressed
        and (result := current_result(deployment.status)) is not None
    )
    return list(islice(found, REGRESSIONS_SHOWN))


def view_warnings(deployments: Iterable[Deployment]) -> list[DeploymentWarning]:
    """Return the warnings of several deployments, with tasks that cannot be started; at most `WARNINGS_SHOWN`."""
    found = (
        DeploymentWarning(deployment=deployment.key.name, namespace=deployment.key.namespace, **each.model_dump())
        for deployment in deployments
        for each in (*deployment.status.warnings, *_idle_tasks(deployment))
    )
    return list(islice(found, WARNINGS_SHOWN))


def _idle_tasks(deployment: Deployment) -> Iterator[StatusWarning]:
    """Yield a warning for each task that the operator could not write: neither its schedule nor a person starts it."""
    for task in deployment.status.tasks:
        if task.reason is not None:
            message = f"task {task.name} cannot be started: {task.message or task.reason}"
            yield StatusWarning(code=task.reason, message=message)


def view_deployment(deployment: Deployment) -> DeploymentView:
    """Return a deployment as a list shows it."""
    status = deployment.status
    ready = status.ready_condition
    asked = deployment.rollout_id
    rollout = status.rollout if status.rollout is not None and status.rollout.id == asked else None
    return DeploymentView(
        name=deployment.key.name,
        namespace=deployment.key.namespace,
        rollout=asked,
        rolling_out=rollout is None or rollout.finished_at is None,
        success=rollout.success if rollout and rollout.finished_at else None,
        regressed=rollout.regressed if rollout else [],
        paused=deployment.is_paused,
        ready=bool(ready and ready.status == "True"),
        message=status.summary or "not observed by the operator yet",
        owner=gitops_owner(deployment.metadata, deployment.managers),
        services=[
            ServiceSummary(
                name=each.name,
                state=each.state,
                replicas=each.replicas,
                serving_images=each.serving_images,
                update=update_text(each),
                reason=each.reason,
                message=each.message,
            )
            for each in status.services
        ],
        warnings=status.warnings,
    )


def view_detail(deployment: Deployment, ingresses: Mapping[str, Ingress]) -> dict[str, Any]:
    """Return a deployment with its routes, tasks, rollouts, spec and status: `DeploymentDetail` as plain JSON.

    `ingresses` has its Ingresses, by service.
    """
    shown = view_deployment(deployment).model_dump(mode="json")
    rollouts = [each.model_dump(mode="json") for each in rollout_results(deployment.status)]
    routes = [
        {"service": service["name"], **route}
        for service in deployment.services
        for route in view_routes(service, ingresses.get(service["name"]))
    ]
    return {
        **shown,
        "routes": routes,
        "rollout_tasks": [each.model_dump(mode="json", exclude_none=True) for each in view_rollout_tasks([deployment])],
        "schedules": [each.model_dump(mode="json", exclude_none=True) for each in view_schedules([deployment])],
        "rollouts": rollouts,
        "spec": deployment.spec,
        "status": deployment.raw_status,
    }
