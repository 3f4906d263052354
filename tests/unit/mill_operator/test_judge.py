"""Recorded pods and what is to be said of them. `pods/` holds what kubelet 1.35 and containerd report."""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mill_api.status import Replicas, ServiceStatus, State
from mill_operator.core import clock
from mill_operator.core.facts import PodFacts, child_facts, pod_facts
from mill_operator.core.judge import Observation, Wanted, judge
from mill_operator.core.rules import Asked, Problem

CREATED = clock.parse("2026-01-31T12:00:00Z")
"""When every recorded pod was made."""
HOUR = 3600.0

WEB = Wanted(
    name="web",
    template="aaaaaaaaaa",
    replicas=1,
    probed=True,
    asked=Asked("registry.example/web:1", "256M", ("db.url",), timedelta(seconds=30)),
)
NO_PORT = replace(WEB, probed=False)
DIGEST = replace(WEB, asked=replace(WEB.asked, image="registry.example/web@sha256:" + "0" * 64))


def pod(name: str, **changes: Any) -> PodFacts:
    body = json.loads((Path(__file__).parent / "pods" / f"{name}.json").read_text())
    return replace(pod_facts(body), **changes)


def look(
    *pods: PodFacts,
    at: float = 3.0,
    wanted: Wanted = WEB,
    deployment: int | None = 1,
    refusal: str = "",
    problem: Problem | None = None,
    previous: ServiceStatus | None = None,
) -> Observation:
    return judge(
        wanted,
        pods,
        deployment_replicas=deployment,
        refusal=refusal,
        problem=problem,
        previous=previous,
        now=CREATED + timedelta(seconds=at),
    )


def offset(moment: object) -> float | None:
    return None if moment is None else (moment - CREATED).total_seconds()  # type: ignore[operator]


@dataclass(frozen=True)
class Row:
    pod: str
    state: State
    code: str | None = None
    message: str | None = None
    due: float | None = None
    """Seconds after the pod's creation from which on it is a failure."""
    wake: float | None = None
    at: float = 3.0
    nodes: int = 1
    """On how many nodes it counts as scheduled."""
    wanted: Wanted = WEB


PULL = "image pull failed: "
START = "container start failed: "
DOWN = "dial tcp registry.example: connect: connection refused"

# fmt: off
TABLE = [
    # The image
    Row("tag-missing", State.FAILED, "TagNotFound", PULL + "tag not found", due=3, wake=5, nodes=0),
    Row("tag-missing-backoff", State.FAILED, "TagNotFound", PULL + "tag not found", due=20, at=20, nodes=0),
    Row("digest-missing", State.FAILED, "TagNotFound", PULL + "digest not found", due=3, wake=5, nodes=0,
        wanted=DIGEST),
    Row("platform", State.FAILED, "WrongPlatform", PULL + "not built for the platform of node node-1", due=3, wake=5,
        nodes=0),
    Row("image-name", State.FAILED, "InvalidImageName", PULL + "invalid image name", due=3, wake=5, nodes=0),
    Row("never-pulled", State.FAILED, "ImageNeverPull", PULL + "not on node node-1, and pulling is forbidden", due=3,
        wake=5, nodes=0),
    Row("denied", State.SUSPECT, "PullDenied", PULL + "access denied", due=33, wake=5, nodes=0),
    Row("incomplete", State.SUSPECT, "ImageIncomplete", PULL + "incomplete in the registry", due=33, wake=5, nodes=0),
    Row("registry-down", State.SUSPECT, "ImagePullFailed", due=63, wake=5, nodes=0),
    Row("throttled", State.SUSPECT, "PullThrottled", PULL + "pull QPS exceeded", due=603, wake=5, nodes=0),
    Row("pulling", State.PULLING, wake=5, at=4.9, nodes=0),
    Row("pulling", State.PULLING, at=5),
    # The start
    Row("command-missing", State.FAILED, "CommandNotFound", START + "command not found", due=3),
    Row("command-missing-loop", State.FAILED, "CommandNotFound", START + "command not found", due=3),
    Row("not-executable", State.FAILED, "CommandNotFound", START + "command not found", due=3),
    Row("interpreter-missing", State.FAILED, "CommandNotFound", START + "command not found", due=3),
    Row("exec-format", State.FAILED, "ExecFormatError", START + "not built for the platform of node node-1", due=3),
    Row("secret-missing", State.SUSPECT, "SecretNotFound", 'secret "db.url" not found', due=13, wake=13),
    Row("secret-key-missing", State.SUSPECT, "SecretNotFound", 'secret "db.url" not found', due=13, wake=13),
    # The run
    Row("crashed-once", State.SUSPECT, "ContainerExited", "container exited with code 3"),
    Row("crashed-twice", State.FAILED, "ContainerExited", "container exited with code 3", due=3),
    Row("crash-loop", State.FAILED, "ContainerExited", "container exited with code 3", due=20, at=20),
    Row("crashed-again-after-an-hour", State.SUSPECT, "ContainerExited", "container exited with code 3", at=HOUR),
    Row("oom-once", State.SUSPECT, "OutOfMemory", "out of memory (limit 256M)"),
    Row("oom-twice", State.FAILED, "OutOfMemory", "out of memory (limit 256M)", due=3),
    Row("unready", State.STARTING, "HealthCheckTimeout", "health check timeout after 30s", due=31, wake=31, at=30.9),
    Row("unready", State.FAILED, "HealthCheckTimeout", "health check timeout after 30s", due=31, at=31),
    Row("unready-after-an-hour", State.STARTING, "HealthCheckTimeout", due=HOUR + 30, wake=HOUR + 30, at=HOUR + 1),
    Row("unready-after-an-hour", State.FAILED, "HealthCheckTimeout", due=HOUR + 30, at=HOUR + 30),
    Row("ready", State.HEALTHY),
    Row("ready-without-port", State.STARTING, wake=3, at=2.9, wanted=NO_PORT),
    Row("ready-without-port", State.HEALTHY, at=3, wanted=NO_PORT),
    # The cluster
    Row("unschedulable", State.SUSPECT, "Unschedulable", "no nodes available: insufficient memory", due=123, wake=123,
        nodes=0),
    # What is no evidence
    Row("evicted", State.PENDING, nodes=0),
    Row("terminating", State.PENDING, nodes=0),
    Row("other-template", State.PENDING, nodes=0),
]
# fmt: on


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.pod}@{row.at:g}s")
def test_a_pod_gives(row):
    seen = look(pod(row.pod), at=row.at, wanted=row.wanted)
    assert seen.state is row.state
    assert (seen.finding.rule.code if seen.finding else None) == row.code
    assert row.message is None or seen.finding.message == row.message
    assert (offset(seen.finding.due) if seen.finding else None) == row.due
    assert offset(seen.wake_at) == row.wake
    assert len(seen.nodes) == row.nodes


def test_the_log_tail_is_the_evidence_of_a_crash():
    finding = look(pod("crashed-twice")).finding
    assert finding.evidence == "cannot reach the database\n2026/11/23 20:52:09 exiting with code 3 after 1ms\n"
    assert finding.suggestion == "See its last words: mill logs web"


def before(
    code: str, rule: str, *, since: float = 3.0, state: State = State.SUSPECT, healthy: int = 0
) -> ServiceStatus:
    return ServiceStatus(
        name="web",
        state=state,
        reason=code,
        rule=rule,
        message="image pull failed: tag not found",
        since=clock.render(CREATED + timedelta(seconds=since)),
        replicas=Replicas(desired=1, updated=1, healthy=healthy),
    )


class TestTime:
    def test_what_was_seen_before_keeps_its_first_sighting(self):
        seen = look(pod("denied"), at=20, previous=before("PullDenied", "image-denied"))
        assert offset(seen.finding.due) == 33
        assert look(pod("denied"), at=33, previous=before("PullDenied", "image-denied")).state is State.FAILED

    def test_another_rule_begins_its_own_time(self):
        seen = look(pod("denied"), at=20, previous=before("SecretNotFound", "secret-missing"))
        assert offset(seen.finding.due) == 50

    def test_clocks_start_anew_when_one_more_replica_is_ready(self):
        two = replace(WEB, replicas=2)
        previous = before("Unschedulable", "unschedulable", healthy=0)
        seen = look(pod("ready"), pod("unschedulable"), at=100, wanted=two, previous=previous)
        assert offset(seen.finding.due) == 220

    def test_ready_replicas_that_are_too_many_start_no_clock_anew(self):
        previous = before("Refused", "object-refused", healthy=1)
        seen = look(pod("ready"), pod("ready"), at=10, previous=previous, problem=Problem("refused", "no"))
        assert (seen.replicas.healthy, offset(seen.finding.since)) == (1, 3)

    @pytest.mark.parametrize("failed", ["tag-missing", "denied"])
    def test_a_busy_node_says_nothing_about_the_cause_known_before(self, failed):
        known = look(pod(failed))
        previous = replace_status(known)
        later = look(pod("throttled"), at=10, previous=previous)
        assert later.finding.rule is known.finding.rule
        assert later.finding.message == known.finding.message
        assert later.finding.due == known.finding.due
        assert later.state is known.state

    def test_the_first_of_several_times_wakes_though_its_finding_is_not_the_gravest(self):
        two = replace(WEB, replicas=2)
        seen = look(pod("throttled"), pod("unready"), at=10, wanted=two)
        assert seen.finding.rule.code == "PullThrottled"
        assert offset(seen.wake_at) == 31

    def test_a_container_that_crashed_once_and_then_hangs_has_its_budget_and_no_more(self):
        hanging = replace(pod("unready"), restarts=1, last_ended=pod("crashed-once").ended)
        assert look(hanging, at=10).state is State.SUSPECT
        assert offset(look(hanging, at=10).wake_at) == 31
        failed = look(hanging, at=31)
        assert (failed.state, failed.finding.rule.code) == (State.FAILED, "HealthCheckTimeout")

    def test_a_container_that_crashed_is_believed_after_ten_ready_seconds(self):
        again = replace(pod("ready"), restarts=1, last_ended=pod("crashed-once").ended)
        ready = offset(again.ready_at)
        early, late = look(again, at=ready + 9.9), look(again, at=ready + 10)
        assert (early.state, offset(early.wake_at)) == (State.SUSPECT, ready + 10)
        assert late.state is State.HEALTHY

    def test_a_start_that_never_was_has_no_time(self):
        """The kubelet writes 1970 where the runtime could not start the container."""
        started_now = replace(pod("unready"), last_ended=pod("command-missing").last_ended)
        assert offset(started_now.first_started) == 1


def replace_status(seen: Observation) -> ServiceStatus:
    finding = seen.finding
    return ServiceStatus(
        name=seen.service,
        state=seen.state,
        replicas=seen.replicas,
        template=seen.template,
        reason=finding.rule.code,
        rule=finding.rule.id,
        message=finding.message,
        evidence=finding.evidence,
        suggestion=finding.suggestion,
        since=clock.render(finding.since),
    )


class TestSeveralPods:
    TWO = replace(WEB, replicas=2)

    def test_all_must_be_ready(self):
        seen = look(pod("ready"), pod("pulling"), wanted=self.TWO)
        assert (seen.state, seen.replicas) == (State.STARTING, Replicas(desired=2, updated=2, healthy=1))

    def test_a_permanent_failure_of_one_is_the_service_s(self):
        seen = look(pod("denied"), pod("tag-missing"), wanted=self.TWO)
        assert (seen.state, seen.finding.rule.code) == (State.FAILED, "TagNotFound")

    def test_a_failing_pod_that_is_not_needed_any_more_is_no_failure(self):
        """The service was scaled down: the controller takes the bad one away in a moment."""
        assert look(pod("ready"), pod("crashed-twice")).state is State.HEALTHY
        assert look(pod("crashed-twice"), wanted=replace(WEB, replicas=0)).state is State.HEALTHY

    def test_pods_of_an_old_template_do_not_count(self):
        old = replace(pod("evicted"), template="bbbbbbbbbb")
        seen = look(pod("ready", template="bbbbbbbbbb"), old, pod("pulling"))
        assert (seen.state, seen.replicas) == (State.PULLING, Replicas(desired=1, updated=1, healthy=0))


class TestReplicas:
    def test_none_asked_for_and_none_there_is_healthy(self):
        seen = look(wanted=replace(WEB, replicas=0), deployment=0)
        assert (seen.state, seen.replicas.desired) == (State.HEALTHY, 0)

    def test_an_autoscaler_s_count_is_wanted_where_none_is_given(self):
        seen = look(pod("ready"), wanted=replace(WEB, replicas=None), deployment=3)
        assert (seen.state, seen.replicas) == (State.STARTING, Replicas(desired=3, updated=1, healthy=1))

    def test_a_deployment_that_is_gone_is_not_healthy_whatever_its_pods_say(self):
        assert look(pod("ready"), deployment=None).state is State.STARTING
        assert look(deployment=None, wanted=replace(WEB, replicas=0)).state is State.PENDING


QUOTA = (
    'pods "web-649fb6c97-vxhh4" is forbidden: exceeded quota: small, requested: limits.memory=64M, '
    "used: limits.memory=0, limited: limits.memory=10M"
)
LIMIT = 'pods "web-649fb6c97-vxhh4" is forbidden: maximum memory usage per Container is 10M, but limit is 64M'


class TestRefusals:
    def test_a_quota_needs_time(self):
        seen = look(refusal=QUOTA)
        assert (seen.state, offset(seen.finding.due)) == (State.SUSPECT, 63)
        assert seen.finding.message == (
            "quota exceeded: small, requested: limits.memory=64M, used: limits.memory=0, limited: limits.memory=10M"
        )

    def test_another_refusal_of_pods_is_a_failure_as_soon_as_it_cannot_be_an_old_one(self):
        seen = look(refusal=LIMIT)
        assert (seen.state, seen.finding.rule.code, offset(seen.finding.due)) == (State.SUSPECT, "PodsRefused", 5)
        later = look(refusal=LIMIT, at=5, previous=before("PodsRefused", "pods-refused"))
        assert (later.state, later.finding.message) == (State.FAILED, f"pods refused: {LIMIT}")

    @pytest.mark.parametrize("refusal", [QUOTA, LIMIT])
    def test_a_refusal_means_the_last_version_s_pods_when_all_new_ones_exist(self, refusal):
        """A Deployment goes on saying so until the old ReplicaSet is scaled down, long after the fix."""
        seen = look(pod("pulling"), refusal=refusal)
        assert (seen.state, seen.finding) == (State.PULLING, None)

    @pytest.mark.parametrize(
        ("problem", "message"),
        [
            (Problem("taken", 'Deployment "web" belongs to Helm'), 'Deployment "web" belongs to Helm'),
            (Problem("refused", "too long"), "refused by the cluster: too long"),
        ],
    )
    def test_an_object_that_cannot_be_written_fails_the_service_though_its_pods_are_well(self, problem, message):
        seen = look(pod("ready"), problem=problem)
        assert (seen.state, seen.finding.message) == (State.FAILED, message)

    def test_a_deployment_s_refusal_of_an_older_spec_is_not_kept(self):
        meta = {"namespace": "shop", "name": "web", "uid": "1", "resourceVersion": "1", "generation": 2}
        meta["creationTimestamp"] = "2026-01-31T12:00:00Z"
        failure = {"type": "ReplicaFailure", "status": "True", "message": QUOTA}
        status = {"observedGeneration": 1, "conditions": [failure]}
        assert child_facts("Deployment", {"metadata": meta, "status": status}).refusal == ""
        status["observedGeneration"] = 2
        assert child_facts("Deployment", {"metadata": meta, "status": status}).refusal == QUOTA
