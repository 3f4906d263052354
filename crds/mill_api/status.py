"""The `status` of a MillDeployment: the model of what the operator observed and decided.

Its parts are in `service_status`, `task_status`, `rollouts` and `rollout_tasks`.

Only the operator writes it. The gateway makes events of it, `kubectl` columns, Argo CD and Flux health. Times are
RFC 3339 in UTC with milliseconds.

A newer release may have written a status, since each release can be rolled back to the one before it. Unknown words
are kept as they are, and `mill_api.status_reading` reads a status that does not fit these models.
"""

from typing import Final

from pydantic import Field

from mill_api.fields import ApiModel
from mill_api.rollout_tasks import RolloutTask
from mill_api.rollouts import PastRollout, Rollout
from mill_api.service_status import ServiceStatus
from mill_api.status_words import Time
from mill_api.task_status import TaskStatus

HISTORY_KEPT: Final = 5
"""Number of past rollouts in the history."""
INTERNAL_ERROR: Final = "InternalError"
"""The code of a service, run or rollout that has no verdict because of a fault of Mill itself."""
SPEC_WARNING: Final = "SpecWarning"
"""The code of a warning that a spec breaks a rule that was added after it was accepted."""


class Condition(ApiModel):
    """A Kubernetes condition."""

    type: str = Field(description="Type of the condition: Ready, Reconciling, Stalled or Paused.")
    status: str = Field(description="Status of the condition: True, False or Unknown.")
    reason: str = Field(description="Stable code of the reason.")
    message: str = Field(description="Human-readable explanation of `reason`.")
    observed_generation: int = Field(description="Generation that the condition describes.")
    last_transition_time: Time = Field(description="Time at which the status of the condition last changed.")


class StatusWarning(ApiModel):
    """A problem to fix that does not stop the rollout."""

    service: str | None = Field(None, description="Name of the service, if the warning concerns one.")
    code: str = Field(description="Stable code of the warning.")
    message: str = Field(description="Human-readable explanation of `code`.")


class MillDeploymentStatus(ApiModel):
    """State that the operator observed and decided."""

    observed_generation: int = Field(-1, description="Generation that this status describes.")
    rollout: Rollout | None = Field(None, description="Current rollout.")
    healthy: str | None = Field(None, description="Number of healthy services out of all services, such as 1/2.")
    serving: str | None = Field(
        None, description="Number of services with ready pods of any version, out of all that want pods, such as 2/2."
    )
    services: list[ServiceStatus] = Field(
        default_factory=list, description="Status of each service, in the order of the file."
    )
    rollout_tasks: list[RolloutTask] = Field(
        default_factory=list, description="Tasks that run in rollouts, those with `before` or `after`."
    )
    active_runs: int = Field(0, description="Number of task runs that have not ended.")
    tasks: list[TaskStatus] = Field(
        default_factory=list, description="Tasks that have runs or cannot start any, by name."
    )
    history: list[PastRollout] = Field(
        default_factory=list, description=f"Previous rollouts, newest first. At most {HISTORY_KEPT}."
    )
    warnings: list[StatusWarning] = Field(
        default_factory=list,
        description="Problems to fix that do not stop the rollout, such as rules that the spec breaks and that were "
        "added after it was accepted, or an autoscaler beside replicas. The first 20.",
    )
    conditions: list[Condition] = Field(
        default_factory=list, description="Conditions Ready, Reconciling, Stalled and Paused."
    )

    @property
    def ready_condition(self) -> Condition | None:
        """The condition Ready; None until the operator has observed the resource."""
        return next((each for each in self.conditions if each.type == "Ready"), None)

    @property
    def summary(self) -> str | None:
        """What Ready says, in full: its own message is short, and Stalled or Reconciling have all of it."""
        others = [each for each in self.conditions if each.type != "Ready" and each.status == "True"]
        found = next(iter(others), self.ready_condition)
        return None if found is None else found.message
