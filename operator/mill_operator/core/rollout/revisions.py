"""Revisions: which one a rollout is about, what is noted of it, and which are dropped."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Final

from mill_api import names
from mill_api.gitops import gitops_owner
from mill_api.revisions import (
    ANNOTATION_DIGESTS,
    ANNOTATION_RESULT,
    ANNOTATION_ROLLOUT,
    ANNOTATION_TASKS,
    FAILED,
    KEPT,
    SUCCEEDED,
    SUPERSEDED,
    Asked,
    Revision,
    read_asked,
    recorded_asked,
    recorded_result,
    spec_digest,
)
from mill_api.rollout_tasks import RolloutTask
from mill_api.rollouts import PastRollout, Rollout
from mill_api.service_status import ServiceStatus
from mill_api.status import MillDeploymentStatus, StatusWarning
from mill_api.versions import version_in_rollout
from mill_objects import fields
from mill_objects.json import Json, JsonView
from mill_operator.core import limits
from mill_operator.core.observed.foreign_text import name as printable_name
from mill_operator.core.observed.pods import ObservedPod, pods_of_template

_SPEC_FIELD: Final = "f:spec"
"""How the entries of `managedFields` name the spec."""


NOT_KEPT: Final = "RevisionNotKept"
"""The code of the warning that a revision could not be kept."""


@dataclass(frozen=True, slots=True)
class RevisionProblem:
    """Why a revision could not be kept, and when that is tried again."""

    text: str
    retry_at: datetime

    @property
    def warning(self) -> StatusWarning:
        """The warning in the status."""
        text = f"the revision cannot be kept, so that mill rollback does not know it: {self.text}"
        return StatusWarning(code=NOT_KEPT, message=text[: limits.SPEC_WARNING_LENGTH])


class Step(Enum):
    """What is to be done about the revision of a rollout."""

    NONE = auto()
    BEGIN = auto()
    """The spec is to be kept."""
    END = auto()
    """What has become of the rollout is to be noted."""


def next_step(latest: MillDeploymentStatus, written: MillDeploymentStatus, rollout_id: str) -> Step:
    """Return what is to be done for a resource that asks for a rollout.

    A refused spec is no revision. A result is noted when the API server has it, so that a verdict waits for nothing.
    """
    rollout, stored = latest.rollout, written.rollout
    if rollout is None or rollout.refused is not None:
        return Step.NONE
    if rollout.revision is None:
        return Step.BEGIN if rollout.id == rollout_id else Step.NONE
    ended = stored is not None and stored.id == rollout.id and stored.finished_at is not None
    return Step.END if ended and not rollout.recorded else Step.NONE


def newest(revisions: Iterable[Revision]) -> Revision | None:
    """Return the revision that was deployed last."""
    return max(revisions, key=lambda each: each.revision, default=None)


def is_revision_of(revision: Revision | None, spec: JsonView) -> bool:
    """Return whether a rollout of a spec continues a revision, as after a restart, instead of beginning another one."""
    return revision is not None and revision.digest == spec_digest(spec)


def first_annotations(rollout_id: str, metadata: JsonView, spec: JsonView) -> dict[str, str]:
    """Return the annotations of a new revision. `metadata` is that of the MillDeployment, whole."""
    return {ANNOTATION_ROLLOUT: rollout_id, names.ANNOTATION_ASKED: recorded_asked(asked_of(metadata, spec))}


def asked_of(metadata: JsonView, spec: JsonView) -> Asked:
    """Return who asked for a spec: a GitOps tool that owns it, who the gateway says, or else who wrote it last."""
    writers = _writers(metadata)
    if (owner := gitops_owner(metadata, writers)) is not None:
        return Asked(printable_name(owner), verified=True)
    asked = read_asked(fields.texts(metadata, "annotations"), spec)
    if asked is not None:
        return asked
    return Asked(printable_name(writers[-1]), verified=True) if writers else Asked()


def _writers(metadata: JsonView) -> list[str]:
    """Return the field managers that have written the spec, the last one last."""
    writes = fields.mappings(metadata, "managedFields")
    of_spec = [each for each in writes if _SPEC_FIELD in fields.mapping(each, "fieldsV1")]
    return [fields.text(each, "manager") for each in sorted(of_spec, key=lambda each: fields.text(each, "time"))]


def restarted_annotations(revision: Revision, rollout_id: str) -> dict[str, str | None]:
    """Return the changes to the annotations of a revision for which another rollout begins; None removes one.

    One that has succeeded stays so until this rollout ends: if a newer spec comes before, it is still what serves, and
    the last one to go back to.
    """
    changes: dict[str, str | None] = {ANNOTATION_ROLLOUT: rollout_id}
    return changes if revision.result == SUCCEEDED else changes | {ANNOTATION_RESULT: None}


def result_of_earlier(revision: Revision, history: Iterable[PastRollout]) -> dict[str, str | None]:
    """Return the changes to the annotations of a revision that another one follows before its result was noted."""
    if revision.result is not None:
        return {}
    found = next((each for each in history if each.id == revision.rollout), None)
    if found is None:
        return {}
    word = SUPERSEDED if found.superseded else SUCCEEDED if found.success else FAILED
    return {ANNOTATION_RESULT: recorded_result(word, found.finished_at)}


def last_annotations(
    rollout: Rollout, services: Iterable[ServiceStatus], pods: Mapping[str, Sequence[ObservedPod]]
) -> dict[str, str | None]:
    """Return the changes to the annotations of a revision whose rollout has finished. `pods` are by their service."""
    word = SUCCEEDED if rollout.success else FAILED
    digests = dict(_digests(services, pods))
    return {
        ANNOTATION_ROLLOUT: rollout.id,
        ANNOTATION_RESULT: recorded_result(word, rollout.finished_at or ""),
        **({ANNOTATION_DIGESTS: json.dumps(digests, sort_keys=True)} if digests else {}),
    }


def _digests(services: Iterable[ServiceStatus], pods: Mapping[str, Sequence[ObservedPod]]) -> Iterable[tuple[str, str]]:
    """Yield the digest that most pods of a service run, for each service that has pods with a known one."""
    for service in services:
        current = pods_of_template(pods.get(service.name, ()), service.template or "")
        found = Counter(pod.container.image_digest for pod in current if pod.container.image_digest)
        if found:
            yield service.name, min(found, key=lambda digest: (-found[digest], digest))


def newly_succeeded(before: Iterable[RolloutTask], after: Iterable[RolloutTask]) -> set[tuple[str, str]]:
    """Return the tasks that have succeeded for a version for which they had not before, by name and version."""
    known = {(each.name, version) for each in before for version in each.succeeded}
    return {(each.name, version) for each in after for version in each.succeeded} - known


def earlier_task_annotations(known: Revision, succeeded: Collection[tuple[str, str]]) -> dict[str, str | None]:
    """Return the changes to the annotations of a revision after runs, if its spec asks for their versions.

    A newer file waits for a run in progress: by its end, the rollout is about another version of the task.
    """
    found = dict(each for each in _versions(known.spec) if each in succeeded)
    return {ANNOTATION_TASKS: json.dumps({**known.tasks, **found}, sort_keys=True)} if found else {}


def _versions(spec: JsonView) -> Iterator[tuple[str, str]]:
    """Yield the tasks of a spec that run in rollouts, by name and version."""
    services = {fields.text(each, "name"): each for each in fields.mappings(spec, "services")}
    for task in fields.mappings(spec, "tasks"):
        if (found := version_in_rollout(task, services)) is not None:
            yield fields.text(task, "name"), found.version


def task_annotations(known: Revision, tasks: Iterable[RolloutTask]) -> dict[str, str | None]:
    """Return the changes to the annotations of a revision after runs of tasks: those that its versions need no more.

    The state of a task may still be that of an earlier version, whose run has not ended.
    """
    return earlier_task_annotations(known, {(each.name, version) for each in tasks for version in each.succeeded})


def changed_annotations(body: JsonView, changes: Mapping[str, str | None]) -> Json | None:
    """Return an object with its annotations changed; None if they are so already."""
    metadata = fields.mapping(body, "metadata")
    before = fields.texts(metadata, "annotations")
    after = {**before, **changes}
    annotations = {name: value for name, value in after.items() if value is not None}
    if annotations == before:
        return None
    return {**body, "metadata": {**metadata, "annotations": annotations}}


def superfluous(revisions: Iterable[Revision]) -> list[Revision]:
    """Return the revisions that are dropped, the oldest first: never the newest, nor the last that has succeeded."""
    ordered = sorted(revisions, key=lambda each: each.revision)
    good = [each for each in ordered if each.result == SUCCEEDED][-1:]
    can_go = [each for each in ordered[:-1] if each not in good]
    return can_go[: max(0, len(ordered) - KEPT)]
