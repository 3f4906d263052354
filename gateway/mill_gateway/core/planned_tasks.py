"""Which tasks a deploy would run in its rollout: the same decision that the operator makes of the status."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from pydantic import BaseModel, Field

from mill_api.rollout_tasks import RolloutTask, RolloutTaskState
from mill_api.versions import RolloutVersion, version_in_rollout
from mill_objects import fields
from mill_objects.json import JsonView

_SUCCEEDED = "it has succeeded for this version"


class PlannedTask(BaseModel):
    """A task with `before` or `after`, and whether the deploy would run it."""

    task: str = Field(description="Name of the task.", examples=["migrate"])
    before: list[str] = Field(default_factory=list, description="The services that wait for its success.")
    after: list[str] = Field(default_factory=list, description="The services after whose success it runs.")
    runs: bool = Field(description="Whether a run of it would be started.")
    reason: str | None = Field(
        None, description="Why none is started, or what it waits for, for people.", examples=[_SUCCEEDED]
    )


def planned_tasks(spec: JsonView, known: Sequence[RolloutTask], succeeded: Collection[str] = ()) -> list[PlannedTask]:
    """Return the tasks that run in rollouts, in the order of the file.

    `known` is what the status has of them. `succeeded` are those that need no run by what the revisions say.
    """
    services = {each["name"]: each for each in fields.mappings(spec, "services") if fields.text(each, "name")}
    states = {each.name: each for each in known}
    tasks = fields.mappings(spec, "tasks")
    wanted = [(fields.text(each, "name"), version_in_rollout(each, services)) for each in tasks]
    return list(_planned([(name, found) for name, found in wanted if found is not None], states, succeeded))


def _planned(
    wanted: Sequence[tuple[str, RolloutVersion]], states: Mapping[str, RolloutTask], succeeded: Collection[str]
) -> Iterator[PlannedTask]:
    names = {name for name, _ in wanted}
    left = [each for each in states.values() if each.name not in names and each.state is RolloutTaskState.RUNNING]
    for name, found in wanted:
        runs, reason = (False, _SUCCEEDED) if name in succeeded else _decision(states.get(name), found.version)
        if runs and reason is None and found.before and left:
            reason = f"when run {left[0].run} has ended, of a task that leaves the file"
        yield PlannedTask(
            task=name,
            before=list(found.before),
            after=list(found.after),
            runs=runs,
            reason=reason,
        )


def _decision(state: RolloutTask | None, version: str) -> tuple[bool, str | None]:
    if state is None:
        return True, None
    if state.has_succeeded(version):
        return False, _SUCCEEDED
    if state.state is not RolloutTaskState.RUNNING:
        return True, None
    if state.version == version:
        return False, f"run {state.run} of this version is in progress"
    return True, f"when run {state.run} of an earlier version has ended"
