"""The part of the status about tasks that run in rollouts: those with `before` or `after`."""

from typing import Final

from pydantic import Field

from mill_api.fields import ApiModel
from mill_api.status_words import Time, Word

VERSIONS_KEPT: Final = 10
"""Versions of a task that are known to have succeeded, the newest: as many as a rollout can go back."""


class RolloutTaskState(Word):
    """State of a task for the version that a rollout asks for."""

    WAITING = "Waiting"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class RolloutTask(ApiModel):
    """A task that runs in rollouts: its newest version, and those for which it has succeeded."""

    name: str = Field(description="Name of the task.")
    version: str = Field(
        description="Digest of what the file says of the programs of the task and of the services that it names."
    )
    state: RolloutTaskState = Field(description=f"State of the version: {', '.join(RolloutTaskState)}.")
    rollout: str = Field("", description="Id of the rollout that asked for it.")
    run: str | None = Field(None, description="Name of its run.")
    uid: str | None = Field(None, description="Uid of the run's Job, as soon as it is known.")
    started_at: Time | None = Field(None, description="Time at which the operator started the run.")
    finished_at: Time | None = Field(None, description="Time at which the run ended.")
    reason: str | None = Field(None, description="Stable code of the reason why the run failed.")
    message: str | None = Field(None, description="Why it waits or has failed.")
    detail: str | None = Field(
        None, description="What matters of the reason beside `message`: the last line of the log."
    )
    succeeded: list[str] = Field(
        default_factory=list,
        description="Versions for which a run has succeeded, the newest first: none of them runs again. At most "
        f"{VERSIONS_KEPT}.",
    )

    def has_succeeded(self, version: str) -> bool:
        """Whether a run of a version has succeeded."""
        return version in self.succeeded
