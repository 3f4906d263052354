"""What is decided of revisions: tables."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from mill_api import names
from mill_api.revisions import (
    ANNOTATION_DIGESTS,
    ANNOTATION_RESULT,
    ANNOTATION_ROLLOUT,
    ANNOTATION_TASKS,
    Asked,
    Revision,
    asked_annotation,
    recorded_result,
)
from mill_api.rollout_tasks import RolloutTask, RolloutTaskState
from mill_api.rollouts import PastRollout, Rollout
from mill_api.service_status import ServiceStatus
from mill_api.status import MillDeploymentStatus
from mill_api.versions import version_of
from mill_operator.core.observed.pods import project_pod
from mill_operator.core.rollout.revisions import (
    Step,
    asked_of,
    changed_annotations,
    earlier_task_annotations,
    last_annotations,
    newly_succeeded,
    next_step,
    restarted_annotations,
    result_of_earlier,
    superfluous,
    task_annotations,
)
from mill_operator.core.rollout_tasks.desired import DesiredRolloutTask
from mill_operator.core.rollout_tasks.kept import is_to_be_looked_up, with_kept_versions

AT = "2026-01-01T00:00:00.000Z"
A, B = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
SPEC = {"services": [{"name": "web", "image": "web:1"}]}


def status(**rollout: Any) -> MillDeploymentStatus:
    return MillDeploymentStatus(rollout=Rollout(**{"id": "2", "started_at": AT, **rollout}))


@pytest.mark.parametrize(
    ("latest", "written", "step"),
    [
        (MillDeploymentStatus(), MillDeploymentStatus(), Step.NONE),
        (status(), MillDeploymentStatus(), Step.BEGIN),
        (status(), status(), Step.BEGIN),
        (status(id="1"), status(id="1"), Step.NONE),  # the one before: the spec is another by now
        (status(refused="no", finished_at=AT), status(refused="no", finished_at=AT), Step.NONE),
        (status(revision=1), status(revision=1), Step.NONE),
        (status(revision=1, finished_at=AT), status(revision=1), Step.NONE),  # the verdict comes first
        (status(revision=1, finished_at=AT), status(revision=1, finished_at=AT), Step.END),
        (status(revision=1, finished_at=AT), status(id="1", revision=1, finished_at=AT), Step.NONE),
        (status(revision=1, finished_at=AT, recorded=True), status(revision=1, finished_at=AT), Step.NONE),
        (status(finished_at=AT), status(finished_at=AT), Step.BEGIN),  # one that an earlier release has finished
    ],
)
def test_what_is_to_be_done(latest: MillDeploymentStatus, written: MillDeploymentStatus, step: Step) -> None:
    assert next_step(latest, written, "2") is step


def written_by(*managers: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"manager": name, "time": at, "fieldsV1": {"f:spec": {}}} for name, at in managers]


@pytest.mark.parametrize(
    ("metadata", "asked"),
    [
        ({}, Asked()),
        (
            {"managedFields": written_by(("kubectl-edit", "2026-01-02T00:00:00Z"), ("helm", "2026-01-01T00:00:00Z"))},
            Asked("kubectl-edit", verified=True),
        ),
        ({"managedFields": [{"manager": "mill-operator", "fieldsV1": {"f:status": {}}}]}, Asked()),
        (
            {"annotations": {names.ANNOTATION_ASKED: asked_annotation("alice", SPEC, source="production.mill")}},
            Asked("alice", verified=True, source="production.mill"),
        ),
        (
            {
                "annotations": {names.ANNOTATION_ASKED: asked_annotation("alice", {"services": []}, source="x.mill")},
                "managedFields": written_by(("kubectl-edit", AT)),
            },
            Asked("alice"),
        ),
        (
            {
                "labels": {"kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": "flux"},
                "annotations": {names.ANNOTATION_ASKED: asked_annotation("alice", SPEC)},
            },
            Asked("the Flux Kustomization flux/shop", verified=True),
        ),
        ({"annotations": {names.ANNOTATION_ASKED: "{"}, "managedFields": "?"}, Asked()),
    ],
)
def test_who_asked(metadata: dict[str, Any], asked: Asked) -> None:
    assert asked_of(metadata, SPEC) == asked


def past(**fields: Any) -> PastRollout:
    return PastRollout(**{"id": "1", "started_at": AT, "finished_at": AT, "success": False, **fields})


@pytest.mark.parametrize(
    ("known", "history", "word"),
    [
        (None, [past(superseded=True)], "Superseded"),
        (None, [past(success=True)], "Succeeded"),
        (None, [past()], "Failed"),
        (None, [past(id="0")], None),
        ("Succeeded", [past()], None),
    ],
)
def test_the_result_of_one_that_another_follows(known: str | None, history: list[PastRollout], word: str) -> None:
    revision = Revision(1, "mill-1", SPEC, rollout="1", result=known)
    expected = {} if word is None else {ANNOTATION_RESULT: recorded_result(word, AT)}
    assert result_of_earlier(revision, history) == expected


@pytest.mark.parametrize(
    ("known", "history", "word"),
    [
        ("Succeeded", [past(superseded=True)], "Succeeded"),
        ("Failed", [past(superseded=True)], "Superseded"),
        ("Superseded", [past()], "Failed"),
        ("Failed", [], None),
    ],
)
def test_what_has_succeeded_stays_so_until_a_restart_of_it_ends(
    known: str, history: list[PastRollout], word: str | None
) -> None:
    body = {"metadata": {"name": "mill-1", "annotations": {ANNOTATION_RESULT: recorded_result(known, AT)}}}
    restarted = changed_annotations(body, restarted_annotations(Revision(1, "mill-1", SPEC, result=known), "1"))
    assert restarted is not None
    annotations = restarted["metadata"]["annotations"]
    assert annotations[ANNOTATION_ROLLOUT] == "1"
    left = known if ANNOTATION_RESULT in annotations else None
    ended = result_of_earlier(Revision(1, "mill-1", SPEC, rollout="1", result=left), history)
    result = ended.get(ANNOTATION_RESULT, annotations.get(ANNOTATION_RESULT))
    assert (result and json.loads(result)["result"]) == word


def pod(name: str, image_id: str, template: str = "new") -> Any:
    labels = {names.LABEL_DEPLOYMENT: "mill", names.LABEL_SERVICE: "web", names.LABEL_TEMPLATE: template}
    return project_pod(
        {
            "metadata": {
                "name": name,
                "namespace": "default",
                "uid": name,
                "resourceVersion": "1",
                "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": labels,
            },
            "spec": {"containers": [{"name": "web", "image": "web:1"}]},
            "status": {"containerStatuses": [{"name": "web", "imageID": image_id, "ready": True}]},
        }
    )


@pytest.mark.parametrize(
    ("pods", "digests"),
    [
        ([], None),
        ([pod("a", f"registry.example/web@{A}")], json.dumps({"web": A})),
        ([pod("a", f"docker-pullable://web@{B}"), pod("b", f"web@{A}"), pod("c", f"web@{B}")], json.dumps({"web": B})),
        ([pod("a", f"web@{A}", "old")], None),
        ([pod("a", A)], None),  # the id of a node's own image
        ([pod("a", f"web@{A}\n")], None),
        ([pod("a", "x" * 100_000 + f"@{A[:-1]}")], None),
    ],
)
def test_the_digests_that_ran(pods: list[Any], digests: str | None) -> None:
    rollout = Rollout(id="2", started_at=AT, finished_at=AT, success=True)
    found = last_annotations(rollout, [ServiceStatus(name="web", template="new")], {"web": pods})
    assert found[ANNOTATION_RESULT] == recorded_result("Succeeded", AT)
    assert found[ANNOTATION_ROLLOUT] == "2"
    assert found.get(ANNOTATION_DIGESTS) == digests


def task(version: str, *succeeded: str, **fields: Any) -> RolloutTask:
    state = RolloutTaskState.SUCCEEDED if version in succeeded else RolloutTaskState.RUNNING
    return RolloutTask(**{"name": "migrate", "version": version, "state": state, "succeeded": [*succeeded], **fields})


def test_the_tasks_that_have_succeeded() -> None:
    """Also while the state of a task is that of a later version, whose run is still ending after a rollback."""
    version = desired("web:1").version
    known = Revision(1, "mill-1", spec("web:1"), tasks={"seed": "0"})
    noted = {ANNOTATION_TASKS: json.dumps({"migrate": version, "seed": "0"})}
    for state in (task(version, version), task("later", "other", version)):
        assert task_annotations(known, [state]) == noted
    assert task_annotations(known, [task(version, "other")]) == {}


def test_the_versions_that_have_succeeded_now() -> None:
    assert newly_succeeded([task("1")], [task("1", "1")]) == {("migrate", "1")}
    assert newly_succeeded([task("1")], [task("2", "1")]) == {("migrate", "1")}  # a newer file has waited for it
    assert newly_succeeded([task("2", "1")], [task("1", "1")]) == set()  # back at a version that has run
    assert newly_succeeded([], [task("1")]) == set()


def test_a_success_is_noted_where_the_spec_asks_for_its_version() -> None:
    version = desired("web:1").version
    known = Revision(1, "mill-1", spec("web:1"), tasks={"seed": "0"})
    noted = {ANNOTATION_TASKS: json.dumps({"migrate": version, "seed": "0"})}
    assert earlier_task_annotations(known, {("migrate", version), ("seed", "1")}) == noted
    assert earlier_task_annotations(known, {("other", version)}) == {}
    assert earlier_task_annotations(Revision(2, "mill-2", spec("web:2")), {("migrate", version)}) == {}


def test_annotations_change_only_where_they_differ() -> None:
    body = {"metadata": {"name": "mill-1", "annotations": {"a": "1", "b": "2"}}, "data": {"spec": {}}}
    assert changed_annotations(body, {"a": "1", "c": None}) is None
    changed = changed_annotations(body, {"a": None, "b": "3"})
    assert changed == {"metadata": {"name": "mill-1", "annotations": {"b": "3"}}, "data": {"spec": {}}}


@pytest.mark.parametrize(
    ("numbers", "succeeded", "gone"),
    [
        (range(1, 11), [10], []),
        (range(1, 12), [10], [1]),
        (range(1, 13), [10], [1, 2]),
        (range(1, 13), [1], [2, 3]),  # the only one that can be gone back to
        ([1, *range(30, 45)], [30, 31], [1, 30, 32, 33, 34, 35]),
    ],
)
def test_ten_are_kept(numbers: Any, succeeded: list[int], gone: list[int]) -> None:
    made = [Revision(n, f"mill-{n}", SPEC, result="Succeeded" if n in succeeded else "Failed") for n in numbers]
    assert [each.revision for each in superfluous(reversed(made))] == gone


def spec(image: str) -> dict[str, Any]:
    migrate = {"name": "migrate", "image": image, "before": ["web"]}
    return {"services": [{"name": "web", "image": image}], "tasks": [migrate]}


def desired(image: str) -> DesiredRolloutTask:
    found = spec(image)
    return DesiredRolloutTask("migrate", version_of(found["tasks"][0], {"web": found["services"][0]}), before=("web",))


RAN = Revision(1, "mill-1", spec("web:1"), tasks={"migrate": desired("web:1").version}, digests={"web": A})


@pytest.mark.parametrize(
    ("image", "revisions", "has_run"),
    [
        ("web:1", [RAN], True),
        ("web:2", [RAN], False),
        ("web:1", [], False),
        (f"web:1@{A}", [RAN], True),  # a rollback names the digest of a tag that has moved
        (f"web:1@{B}", [RAN], False),
        (f"web:2@{A}", [RAN], False),
    ],
)
def test_versions_that_revisions_know(image: str, revisions: list[Revision], has_run: bool) -> None:
    wanted = desired(image)
    (found,) = with_kept_versions([task("0", "9")], [wanted], spec(image), revisions)
    assert found.succeeded == ([wanted.version, "9"] if has_run else ["9"])
    states = with_kept_versions([], [wanted], spec(image), revisions)
    assert [each.succeeded for each in states] == ([[wanted.version]] if has_run else [])


def test_revisions_are_looked_at_before_a_run_and_at_no_other_time() -> None:
    starts = task("1", run="migrate-1")
    assert is_to_be_looked_up([], [starts])
    assert is_to_be_looked_up([task("1", run="migrate-0")], [starts])
    assert not is_to_be_looked_up([starts], [starts])
    assert not is_to_be_looked_up([starts], [task("1", run="migrate-1", uid="u")])
    assert not is_to_be_looked_up([], [task("1", "1")])


def test_a_moment_is_written_as_text() -> None:
    assert recorded_result("Failed", datetime(2026, 1, 1, tzinfo=UTC)).endswith('"2026-01-01T00:00:00+00:00"}')
