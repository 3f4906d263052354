"""The parts of the status about rollouts: the current one, the past ones, and what failed or was put back in them."""

from pydantic import Field

from mill_api.fields import ApiModel
from mill_api.status_words import FailedSeq, Seq, Time


class FailedService(ApiModel):
    """A service that failed in a past rollout; without a service, the reason that ended the whole rollout."""

    seq: FailedSeq = Field(description="Position in the rollout.")
    service: str | None = Field(None, description="Name of the service.")
    reason: str = Field(description="Human-readable reason for the failure.")


class Regression(ApiModel):
    """The first failure of a service after its rollout had finished, without another change."""

    service: str = Field(description="Name of the service.")
    reason: str = Field(description="Human-readable reason for the failure.")
    code: str = Field(description="Stable code of the reason.")
    at: Time = Field(description="Time of the failure.")
    seq: Seq | None = Field(
        None, description="Position of the failure in the rollout, if the service had not settled before."
    )


class PutBack(ApiModel):
    """A change of a child object by another field manager, which the operator has put back."""

    kind: str = Field(description="Kind of the object.")
    name: str = Field(description="Name of the object.")
    service: str | None = Field(None, description="Name of the service, if the object belongs to one.")
    change: str = Field(
        description="Which fields were changed, such as replicas 5 → 2: from the changed value to the one that was put "
        "back. Values of few fields are reported, none of environments and arguments."
    )
    by: str | None = Field(None, description="Field managers that made the change, if they are known.")
    autoscaled: bool = Field(default=False, description="Whether an autoscaler changed the replicas.")
    at: Time = Field(description="Time at which it was reported last. Each object has one report a minute at most.")
    count: int = Field(1, description="How often this change was put back.")


class Rollout(ApiModel):
    """The current rollout: it brings the cluster to one generation, or answers one request."""

    id: str = Field(description="Generation, followed by the request if one was made.")
    started_at: Time = Field(description="Time at which the operator started the rollout.")
    finished_at: Time | None = Field(
        None, description="Time at which every service had settled, or one had failed and all others had a verdict."
    )
    success: bool | None = Field(None, description="Whether every service settled. Final, unlike the conditions.")
    last_seq: Seq | None = Field(None, description="Position of the last transition when the rollout finished.")
    regressed: list[Regression] = Field(
        default_factory=list, description="Failures after the rollout had finished, the first of each service."
    )
    put_back: list[PutBack] = Field(
        default_factory=list,
        description="Changes of other field managers that the operator has put back since the rollout started, the "
        "newest last. At most 20.",
    )
    revision: int | None = Field(None, description="Number of the revision that keeps its spec.")
    recorded: bool = Field(default=False, description="Whether that revision has the result of the rollout.")
    refused: str | None = Field(
        None, description="Problems for which the spec was refused, one per line. Nothing was changed in the cluster."
    )
    task_failure: str | None = Field(
        None, description="Why the rollout did not succeed though every service settled: a task that ran after some."
    )
    error: str | None = Field(None, description="Internal error that ended the rollout without verdicts.")


class PastRollout(ApiModel):
    """A rollout that has finished."""

    id: str = Field(description="Generation, followed by the request if one was made.")
    started_at: Time = Field(description="Time at which the rollout started.")
    finished_at: Time = Field(description="Time at which the rollout finished.")
    success: bool = Field(description="Whether every service settled.")
    superseded: bool = Field(
        default=False, description="Whether a newer rollout replaced it before every service had a verdict."
    )
    settled: list[str] = Field(
        default_factory=list,
        description="Services that had settled in it, though it was superseded or they failed later.",
    )
    unsettled: list[str] = Field(
        default_factory=list,
        description="Services that a newer rollout replaced in their window after it had finished.",
    )
    failed: list[FailedService] = Field(default_factory=list, description="Failures of the rollout.")
    regressed: list[Regression] = Field(
        default_factory=list, description="Failures after the rollout had finished, the first of each service."
    )
    put_back: list[PutBack] = Field(
        default_factory=list,
        description="Changes of other field managers that the operator has put back, the newest last. At most five.",
    )
