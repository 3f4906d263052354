"""The part of the status about tasks and their runs, apart from those that run in rollouts (`rollout_tasks`)."""

from pydantic import Field

from mill_api.fields import ApiModel
from mill_api.status_words import Time, Word


class RunState(Word):
    """State of a run of a task."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"

    @property
    def settled(self) -> bool:
        """Whether the run has a verdict."""
        return self in (RunState.SUCCEEDED, RunState.FAILED, RunState.STOPPED)


class TaskRun(ApiModel):
    """One run of a task, executed by a Job."""

    name: str = Field(description="Name of the run and of its Job.")
    state: RunState = Field(
        RunState.PENDING,
        description=f"State of the run: {', '.join(RunState)}. A run is Stopped if its Job was deleted before it "
        "ended. A Failed run whose Job has not ended, such as one whose image cannot be pulled, may still recover.",
    )
    node: str | None = Field(None, description="Node to which the pod of the run is assigned.")
    reason: str | None = Field(None, description="Stable code of the reason why the run failed or is waiting.")
    message: str | None = Field(None, description="Human-readable explanation of `reason`.")
    detail: str | None = Field(None, description="What matters of the reason beside `message`, such as the image.")
    suggestion: str | None = Field(None, description="What to do about the reason.")
    rule: str | None = Field(None, description="Identifier of the rule that matched, while the run is in progress.")
    since: Time | None = Field(None, description="Time at which the rule first matched, while the run is in progress.")
    created_at: Time = Field(description="Time at which the run was created.")
    started_at: Time | None = Field(None, description="Time at which its container started.")
    finished_at: Time | None = Field(None, description="Time at which the run ended.")
    exit_code: int | None = Field(None, description="Exit code of the program.")


class TaskStatus(ApiModel):
    """A task that has runs or a schedule, or of which no run can be started. Its runs are not part of rollouts."""

    name: str = Field(description="Name of the task.")
    reason: str | None = Field(None, description="Stable code of the reason why no run of the task can be started.")
    message: str | None = Field(None, description="Human-readable explanation of `reason`.")
    next_run: Time | None = Field(
        None,
        description="Time of the schedule for which the next run starts. One that has passed is due: it waits for an "
        "earlier run, at most for the deadline.",
    )
    last_run: Time | None = Field(None, description="Time of the schedule for which the last run was started.")
    missed_run: Time | None = Field(None, description="Last time of the schedule for which no run was started.")
    runs: list[TaskRun] = Field(
        default_factory=list,
        description="Runs of the task, newest first: the last five in progress and the last five that have ended, "
        "fewer of each if there are very many. `kubectl get jobs -l mill.dev/task` lists all of them.",
    )
