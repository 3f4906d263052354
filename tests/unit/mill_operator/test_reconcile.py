"""The decisions of a reconciliation, as functions of plain data."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from mill_api.rollouts import Rollout
from mill_api.service_status import ServiceStatus, State
from mill_api.status import MillDeploymentStatus
from mill_operator.core import timestamps
from mill_operator.core.objects.rendering import DesiredState, InvalidSpec, ParsedSpec
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.jobs import ObservedJob
from mill_operator.core.observed.lookup_results import NO_RESULTS
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment, project_mill_deployment
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.observed.snapshot import Snapshot
from mill_operator.core.reconcile.goal import Goal, starts_rollout
from mill_operator.core.reconcile.next_status import WRITE_RETRY, Decision, decide_status, refused_status
from mill_operator.core.reconcile.observations import Observations, Situation, observe_services, stale_pods
from mill_operator.core.reconcile.writes import decide_writes, services_to_roll_back
from mill_operator.core.verdicts.rule_input import Problem
from tests.support.children import OBSERVED
from tests.support.recordings import CREATED, pod
from tests.support.runs import job

NOW = CREATED + timedelta(seconds=60)
VOLUME = {"name": "data", "path": "/data", "size": "1Gi"}
SPEC: dict[str, Any] = {
    "services": [{"name": "web", "image": "web:1"}, {"name": "db", "image": "db:1", "volumes": [VOLUME]}],
    "tasks": [{"name": "migrate", "image": "web:1"}],
}


def resource(generation: int = 1, created: datetime = CREATED) -> ObservedMillDeployment:
    metadata = {
        "namespace": "shop",
        "name": "mill",
        "uid": "mill-uid",
        "resourceVersion": "1",
        "generation": generation,
        "creationTimestamp": created.isoformat(),
    }
    return project_mill_deployment({"metadata": metadata, "spec": SPEC})


RESOURCE = resource()
DESIRED = ParsedSpec(RESOURCE.owner, SPEC, {}).desired()
TEMPLATES = {service.name: service.template for service in DESIRED.services}
GOAL = Goal(RESOURCE, DESIRED, DESIRED.children, ())
RUNNING = MillDeploymentStatus(
    observed_generation=1, rollout=Rollout(id=RESOURCE.rollout_id, started_at=timestamps.render(CREATED))
)


def observed(index: int, **changes: Any) -> ObservedChild:
    """Return the object of a desired one, as the operator has written it."""
    child = DESIRED.children[index]
    found = replace(
        OBSERVED,
        kind=child.kind,
        key=child.key,
        uid=f"{child.kind}-{child.key.name}",
        service=child.service or "",
        owner_uid=RESOURCE.uid if child.kind != "PersistentVolumeClaim" else "",
        applied=child.applied,
    )
    return replace(found, **changes)


ALL = tuple(observed(index) for index in range(len(DESIRED.children)))


def good_pod(service: str, **changes: Any) -> ObservedPod:
    named: dict[str, Any] = {"service": service, "template": TEMPLATES[service], "image": f"{service}:1"}
    return pod("ready-without-port", **{**named, **changes})


def failed(service: str) -> ServiceStatus:
    """Return a service whose failed version replaced the pods of a working one."""
    template = TEMPLATES[service]
    return ServiceStatus(
        name=service, state=State.FAILED, template=template, healthy_template="good", failed_template=template
    )


def with_services(*services: ServiceStatus) -> MillDeploymentStatus:
    return RUNNING.model_copy(update={"services": list(services)})


def situation(snapshot: Snapshot, **changes: Any) -> Situation:
    made = Situation(GOAL, snapshot, {}, RUNNING, RUNNING, NOW)
    return replace(made, **changes)


def decided(given: Situation, postponed: dict[str, datetime] | None = None) -> Decision:
    return decide_status(given, Observations(list(observe_services(given))), NO_RESULTS, postponed or {})


def states(decision: Decision) -> dict[str, State]:
    return {service.name: service.state for service in decision.status.services}


def roll_backs(status: MillDeploymentStatus, written: MillDeploymentStatus) -> list[tuple[str, str]]:
    return [(child.key.name, template) for child, template in services_to_roll_back(DESIRED, status, written)]


def test_another_rollout_starts_with_another_generation() -> None:
    assert starts_rollout(RESOURCE, MillDeploymentStatus())
    assert not starts_rollout(RESOURCE, RUNNING)
    assert starts_rollout(resource(generation=2), RUNNING)


def test_a_refused_spec_ends_its_rollout_once() -> None:
    first = refused_status(RESOURCE, InvalidSpec("no image"), MillDeploymentStatus(), NOW)
    assert first.rollout is not None
    assert (first.rollout.refused, first.rollout.success) == ("no image", False)
    again = refused_status(RESOURCE, InvalidSpec("no image"), first, NOW + timedelta(seconds=5))
    assert again == first


@pytest.mark.parametrize(
    ("status", "written", "expected"),
    [
        pytest.param(with_services(failed("db")), RUNNING, [], id="the evidence is not written yet"),
        pytest.param(with_services(failed("db")), with_services(failed("db")), [("db", "good")], id="it is written"),
        pytest.param(RUNNING, with_services(failed("db")), [], id="it was requested again"),
        pytest.param(
            with_services(failed("db")),
            with_services(failed("db").model_copy(update={"failed_template": "another"})),
            [("db", "good")],
            id="another release renders the failed version otherwise",
        ),
    ],
)
def test_a_service_is_rolled_back_when_its_failure_is_written(
    status: MillDeploymentStatus, written: MillDeploymentStatus, expected: list[tuple[str, str]]
) -> None:
    assert roll_backs(status, written) == expected


def test_only_what_differs_is_written() -> None:
    assert decide_writes(GOAL, Snapshot(children=ALL), RUNNING, {}, NOW).plan.update == ()
    changed = observed(0, applied="another")
    writes = decide_writes(GOAL, Snapshot(children=(changed, *ALL[1:])), RUNNING, {}, NOW)
    assert [child.key.name for child, _ in writes.plan.update] == ["web"]
    assert (writes.plan.create, writes.plan.delete, writes.adopt) == ((), (), ())


def test_the_name_of_a_predecessors_object_is_not_free() -> None:
    left = observed(0, owner_uid="older", owner="MillDeployment mill")
    snapshot = Snapshot.of(RESOURCE, [], [left, *ALL[1:]], [])
    assert snapshot.others == (left,)
    assert (
        decide_writes(GOAL, snapshot, RUNNING, {}, NOW).plan
        == decide_writes(GOAL, Snapshot(children=ALL), RUNNING, {}, NOW).plan
    )


def test_running_jobs_are_adopted_before_their_cron_job_is_deleted() -> None:
    spec = {"services": SPEC["services"]}
    without = DesiredState(ParsedSpec(RESOURCE.owner, spec, {}).desired().parts)
    goal = replace(GOAL, desired=without, children=without.children)
    cron_job = next(each for each in ALL if each.kind == "CronJob")
    run = replace(job(), owners=frozenset({cron_job.uid}))
    foreign = replace(job(), owners=frozenset({"of-another"}))
    jobs: Sequence[ObservedJob] = (run, foreign)
    writes = decide_writes(goal, Snapshot.of(RESOURCE, [], ALL, jobs), RUNNING, {}, NOW)
    assert writes.plan.delete == (cron_job,)
    assert writes.adopt == (run,)


def test_pods_that_stay_healthy_make_a_rollout_succeed() -> None:
    available = tuple(replace(child, available=1) for child in ALL)
    snapshot = Snapshot(pods=(good_pod("web"), good_pod("db")), children=available)
    first = decided(situation(snapshot))
    assert states(first)["web"] is State.HEALTHY
    assert first.wake_at == NOW + timedelta(seconds=10)
    second = decided(situation(snapshot, status=first.status, now=NOW + timedelta(seconds=10)))
    assert second.status.rollout is not None
    assert second.status.rollout.success is True


def test_a_refused_write_is_that_services_problem_and_is_tried_again() -> None:
    snapshot = Snapshot(pods=(good_pod("db"),), children=ALL)
    problems = {DESIRED.children[0].applied: Problem("refused", "quota exceeded")}
    decision = decided(situation(snapshot, problems=problems))
    assert states(decision)["db"] is State.HEALTHY
    assert states(decision)["web"] is not State.HEALTHY
    assert decision.wake_at is not None
    assert decision.wake_at <= NOW + WRITE_RETRY


def test_a_postponed_service_is_reconciled_again_when_its_time_has_come() -> None:
    snapshot = Snapshot(pods=(good_pod("web"), good_pod("db")), children=ALL)
    soon = NOW + timedelta(milliseconds=10)
    assert decided(situation(snapshot), {"web": soon}).wake_at == soon


def test_a_failed_version_is_rolled_back_as_soon_as_its_evidence_is_written() -> None:
    snapshot = Snapshot(children=ALL)
    written = with_services(failed("db"))
    decision = decided(situation(snapshot, status=RUNNING, written=written))
    assert decision.wake_at == NOW, "what is written and what was decided differ"


def test_an_error_in_one_service_costs_no_neighbor_its_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    from mill_operator.core.reconcile import observations

    judge = observations.judge

    def broken(given: Any, now: datetime) -> Any:
        if given.service.name == "web":
            raise OverflowError
        return judge(given, now)

    monkeypatch.setattr(observations, "judge", broken)
    snapshot = Snapshot(pods=(good_pod("web"), good_pod("db")), children=ALL)
    found = Observations(list(observe_services(situation(snapshot))))
    assert list(found.internal_errors) == ["web"]
    assert [each.state for each in found.services] == [State.SUSPECT, State.HEALTHY]


def test_only_pods_from_before_the_writes_are_stale() -> None:
    old = pod("tag-missing", service="web", template=TEMPLATES["web"], image="web:1")
    new = replace(old, uid="new")
    snapshot = Snapshot(pods=(old, new), children=ALL)
    found = Observations(list(observe_services(situation(snapshot))))
    assert stale_pods(found, snapshot, Snapshot(pods=(old,))) == [old]
    assert snapshot.without_pods([old]).pods == (new,)
