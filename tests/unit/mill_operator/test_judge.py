"""Recorded pods and their verdicts."""

from dataclasses import dataclass, replace

import pytest

from mill_api.service_status import Replicas, State
from mill_operator.core.objects.service import DesiredService
from mill_operator.core.observed.children import ObservedChild, project_child
from mill_operator.core.observed.lookup_results import NO_RESULTS, LookupResults
from mill_operator.core.verdicts.rule_input import Problem
from mill_operator.core.verdicts.rules import TABLE
from tests.support.recordings import (
    DIGEST,
    NO_PORT,
    PODS,
    TWO,
    WEB,
    at,
    before,
    changed,
    claim,
    look,
    node,
    offset,
    pod,
    said,
)

from . import event_texts as events

HOUR = 3600.0


@dataclass(frozen=True)
class Row:
    pod: str
    state: State
    code: str | None = None
    message: str | None = None
    due: float | None = None
    """Seconds after the pod's creation when the finding becomes a failure."""
    wake: float | None = None
    at: float = 3.0
    nodes: int = 1
    """Number of nodes on which it counts as scheduled."""
    wanted: DesiredService = WEB
    claims: tuple[ObservedChild, ...] = ()
    answers: LookupResults = NO_RESULTS


PULL = "image pull failed: "
START = "container start failed: "
NO_NODES = "no nodes available: "

# fmt: off
ROWS = [
    # The image
    Row("tag-missing", State.FAILED, "TagNotFound", PULL + "tag not found", due=3, wake=5, nodes=0),
    Row("tag-missing-backoff", State.FAILED, "TagNotFound", PULL + "tag not found", due=20, at=20, nodes=0),
    Row("repository-missing", State.FAILED, "TagNotFound", PULL + "tag not found", due=3, wake=5, nodes=0),
    Row("digest-missing", State.FAILED, "TagNotFound", PULL + "digest not found", due=3, wake=5, nodes=0,
        wanted=DIGEST),
    Row("platform", State.FAILED, "WrongPlatform", PULL + "not built for linux/amd64", due=3, wake=5, nodes=0,
        answers=node()),
    Row("platform", State.FAILED, "WrongPlatform", PULL + "not built for the platform of node node-1", due=3, wake=5,
        nodes=0),
    Row("image-name", State.FAILED, "InvalidImageName", PULL + "invalid image name", due=3, wake=5, nodes=0),
    Row("never-pulled", State.FAILED, "ImageNeverPull", PULL + "not on node node-1, and pulling is forbidden", due=3,
        wake=5, nodes=0),
    Row("denied", State.SUSPECT, "PullDenied", PULL + "access denied", due=33, wake=5, nodes=0),
    Row("unauthorized", State.SUSPECT, "PullDenied", PULL + "access denied", due=33, wake=5, nodes=0),
    Row("forbidden", State.SUSPECT, "PullDenied", PULL + "access denied", due=33, wake=5, nodes=0),
    Row("unauthorized", State.SUSPECT, "PullSecretNotFound", PULL + "access denied, pull secret not found: regcred",
        due=33, wake=5, nodes=0, answers=said(events.NO_CREDENTIALS)),
    Row("incomplete", State.SUSPECT, "ImageIncomplete", PULL + "incomplete in the registry", due=33, wake=5, nodes=0),
    Row("rate-limited", State.SUSPECT, "PullRateLimited", PULL + "too many requests to the registry", due=123, wake=5,
        nodes=0),
    Row("registry-500", State.SUSPECT, "RegistryUnavailable",
        PULL + "registry unavailable: 500 Internal Server Error", due=123, wake=5, nodes=0),
    Row("registry-down", State.SUSPECT, "RegistryUnavailable",
        PULL + "registry unavailable: dial tcp registry.example: connect: connection refused", due=123, wake=5,
        nodes=0),
    Row("throttled", State.SUSPECT, "PullThrottled", PULL + "pull QPS exceeded", wake=5, nodes=0),
    Row("throttled", State.SUSPECT, "PullThrottled", at=HOUR, nodes=0),
    Row("pulling", State.PULLING, wake=5, at=4.9, nodes=0),
    Row("pulling", State.PULLING, wake=10, at=5),
    Row("pulling", State.PULLING, wake=1280, at=1000),
    # Before the first container
    Row("mounting", State.SUSPECT, "VolumeNotFound",
        'volume "mount-data" not mounted: hostPath type check failed: /no/such/directory is not a directory',
        due=60, wake=33, at=30, answers=said(events.MOUNT_OF_NOTHING)),
    Row("mounting", State.SUSPECT, "VolumeNotMounted", 'volume "mount-data" not mounted: cannot format /dev/sdb',
        due=150, wake=33, at=30, answers=said(events.MOUNT_OF_A_BROKEN_DISK)),
    Row("mounting", State.SUSPECT, "VolumeNotMounted", due=450, wake=33, at=30,
        answers=said(events.ATTACHED_ELSEWHERE)),
    Row("mounting", State.SUSPECT, "VolumeNotMounted", due=150, wake=33, at=30,
        answers=said(events.MOUNT_BEFORE_ITS_DRIVER)),
    Row("mounting", State.PULLING, wake=33, at=30, answers=said(events.PULLING, events.MOUNT_OF_NOTHING)),
    Row("mounting", State.SUSPECT, "SandboxFailed", due=150, wake=33, at=30,
        answers=said(events.NO_ADDRESS, events.MOUNT_OF_NOTHING)),
    Row("volume-unbound", State.SUSPECT, "VolumeNotProvisioned",
        'volume "noclass-data" not provisioned yet: no event names a cause', due=483, wake=5, nodes=0,
        claims=(claim(name="noclass-data", storage_class="standard"),)),
    Row("volume-unbound", State.SUSPECT, "VolumeNotProvisioned",
        'volume "noclass-data" not provisioned: no storage class', due=33, wake=5, nodes=0,
        claims=(claim(name="noclass-data"),)),
    Row("volume-unbound", State.SUSPECT, "VolumeNotProvisioned",
        'volume "noclass-data" not provisioned: no storage class', due=33, wake=5, nodes=0,
        claims=(claim(name="noclass-data"),), answers=said(events.NO_CLASS, uid="noclass-data-uid")),
    Row("volume-unbound", State.SUSPECT, "VolumeNotProvisioned",
        'volume "noclass-data" not provisioned: storage class "fast" not found', due=33, wake=5, nodes=0,
        claims=(claim(name="noclass-data", storage_class="fast"),),
        answers=said(events.UNKNOWN_CLASS, uid="noclass-data-uid")),
    Row("volume-unbound", State.SUSPECT, "VolumeNotProvisioned",
        'volume "noclass-data" not provisioned: no space left', due=33, wake=5, nodes=0,
        claims=(claim(name="noclass-data", storage_class="standard"),),
        answers=said(events.NO_PROVISIONER, events.NO_SPACE, uid="noclass-data-uid")),
    Row("volume-unbound", State.SUSPECT, "Unschedulable", due=123, wake=5, nodes=0),
    Row("volume-late-binding", State.PENDING, wake=5, nodes=0,
        claims=(claim(name="wffc-data", storage_class="late"),)),
    Row("volume-late-binding", State.SUSPECT, "VolumeNotProvisioned",
        'volume "wffc-data" not provisioned yet: no event names a cause', due=486, wake=10, at=6, nodes=0,
        claims=(claim(name="wffc-data", storage_class="late"),),
        answers=said(events.NO_PROVISIONER, uid="wffc-data-uid")),
    # The start
    Row("command-missing", State.FAILED, "CommandNotFound", START + "command not found", due=3),
    Row("command-missing-loop", State.FAILED, "CommandNotFound", START + "command not found", due=3),
    Row("not-executable", State.FAILED, "CommandNotFound", START + "command not found", due=3),
    Row("interpreter-missing", State.FAILED, "InterpreterNotFound",
        START + "interpreter or loader of the command not found", due=3),
    Row("exec-format", State.FAILED, "ExecFormatError", START + "not built for the platform of node node-1", due=3),
    Row("exec-format", State.FAILED, "ExecFormatError", START + "not built for linux/arm64", due=3,
        answers=node(platform="linux/arm64")),
    Row("secret-missing", State.SUSPECT, "SecretNotFound", 'secret "db.url" not found', due=33, wake=33),
    Row("secret-key-missing", State.SUSPECT, "SecretNotFound", 'secret "db.url" not found', due=33, wake=33),
    # The run
    Row("crashed-once", State.SUSPECT, "ContainerExited", "container exited with code 3"),
    Row("crashed-twice", State.FAILED, "ContainerExited", "container exited with code 3", due=3),
    Row("crash-loop", State.FAILED, "ContainerExited", "container exited with code 3", due=20, at=20),
    Row("crashed-again-after-an-hour", State.SUSPECT, "ContainerExited", "container exited with code 3", at=HOUR),
    Row("exit-0-once", State.SUSPECT, "ProgramEnded", "container exited with code 0", at=5),
    Row("exit-0-twice", State.FAILED, "ProgramEnded", "container exited with code 0", due=9, at=9),
    Row("oom-once", State.SUSPECT, "OutOfMemory", "out of memory (limit 256M)"),
    Row("oom-twice", State.FAILED, "OutOfMemory", "out of memory (limit 256M)", due=3),
    Row("oom-child-twice", State.FAILED, "OutOfMemory", "out of memory (limit 256M)", due=14, at=14),
    Row("unready", State.STARTING, "HealthCheckTimeout", "health check timeout after 30s", due=31, wake=31, at=30.9),
    Row("unready", State.FAILED, "HealthCheckTimeout", "health check timeout after 30s", due=31, at=31),
    Row("unready-after-an-hour", State.STARTING, "HealthCheckTimeout", due=HOUR + 30, wake=HOUR + 30, at=HOUR + 1),
    Row("unready-after-an-hour", State.FAILED, "HealthCheckTimeout", due=HOUR + 30, at=HOUR + 30),
    Row("readiness-gate", State.STARTING, "ReadinessGate", 'not admitted by readiness gate "example.com/target-health"',
        due=300, wake=300, at=30),
    Row("ready", State.HEALTHY),
    Row("ready-without-port", State.STARTING, wake=3, at=2.9, wanted=NO_PORT),
    Row("ready-without-port", State.HEALTHY, at=3, wanted=NO_PORT),
    # Containers that somebody injected
    Row("sidecar-image-missing", State.FAILED, "TagNotFound", f"container istio-proxy: {PULL}tag not found", due=3),
    Row("sidecar-unready", State.STARTING, "HealthCheckTimeout",
        "container istio-proxy: health check timeout after 30s", due=33, wake=33, at=20),
    Row("init-image-missing", State.FAILED, "TagNotFound", f"container istio-init: {PULL}tag not found", due=3, wake=5,
        nodes=0),
    Row("init-crashed-twice", State.FAILED, "ContainerExited",
        "container istio-init: container exited with code 2", due=3, wake=5, nodes=0),
    Row("native-sidecar-crashed", State.FAILED, "ContainerExited",
        "container istio-proxy: container exited with code 2", due=3, wake=5, nodes=0),
    # The cluster
    Row("unschedulable", State.SUSPECT, "Unschedulable", NO_NODES + "insufficient memory", due=123, wake=123, nodes=0),
    Row("unschedulable-cpu", State.SUSPECT, "Unschedulable", NO_NODES + "insufficient cpu", due=123, wake=123, nodes=0),
    Row("unschedulable-selector", State.SUSPECT, "Unschedulable", NO_NODES + "node selector matches none", due=123,
        wake=123, nodes=0),
    Row("unschedulable-volume", State.SUSPECT, "Unschedulable", NO_NODES + "volume is on another node", due=123,
        wake=5, nodes=0),
    Row("pulling", State.SUSPECT, "NodeLost", "node node-1 does not answer", due=410, wake=80, at=60,
        answers=node("Unknown", since=50)),
    Row("unready", State.SUSPECT, "NodeLost", "node node-1 is not ready", due=380, wake=380, at=25,
        answers=node("False", since=20)),
    Row("ready", State.HEALTHY, answers=node("Unknown"), at=60),
    Row("tag-missing", State.FAILED, "TagNotFound", due=60, at=60, answers=node("Unknown", since=50), nodes=0),
    # What is no evidence
    Row("evicted", State.PENDING, nodes=0),
    Row("terminating", State.PENDING, nodes=0),
    Row("other-template", State.PENDING, nodes=0),
    Row("evicted-own-limit", State.SUSPECT, "StorageLimitExceeded", nodes=0),
    Row("evicted-status-unknown", State.SUSPECT, "StorageLimitExceeded", nodes=0),
]
# fmt: on


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.pod}@{row.at:g}s")
def test_a_pod_gives(row):
    seen = look(pod(row.pod), at=row.at, wanted=row.wanted, claims=row.claims, answers=row.answers)
    assert seen.state is row.state
    assert (seen.finding.rule.code if seen.finding else None) == row.code
    assert row.message is None or seen.finding.message == row.message
    assert (offset(seen.finding.due) if seen.finding else None) == row.due
    assert offset(seen.wake_at) == row.wake
    assert len(seen.nodes) == row.nodes


def test_the_log_tail_is_the_evidence_of_a_crash():
    finding = look(pod("crashed-twice")).finding
    assert finding.evidence == "cannot reach the database\n2026/11/23 20:52:09 exiting with code 3 after 1ms\n"
    assert finding.suggestion == "Read all of its output: mill logs web"


def test_every_recording_is_judged():
    """A recording that no row names shows nothing."""
    assert {row.pod for row in ROWS} == {file.stem for file in PODS.glob("*.json")}


def test_every_container_rule_is_shown_by_a_recording():
    shown = {row.code for row in ROWS}
    elsewhere = {
        "NameTaken",
        "HostNotAllowed",
        "RouteTaken",
        "Refused",
        "AdmissionBroken",
        "QuotaExceeded",
        "PodsRefused",
        "InternalError",
        "PullTimeout",
    }  # what is wrong without any pod, or only for its time: below
    by_events = {"LivenessFailed"}  # test_live_checks.py
    other_runtimes = {  # their texts, in runtime_texts.yaml and outside_cases/
        "ContainerConfigError",
        "DevicesNotPrepared",
        "Evicted",
        "ImageBroken",
        "ImageFormatUnsupported",
        "ImagePullFailed",
        "ImageUserRefused",
        "PodRejected",
        "SchedulingGated",
        "SharedLibraryNotFound",
        "SignatureRejected",
        "StartFailed",
    }
    assert {rule.code for rule in TABLE} - shown == elsewhere | by_events | other_runtimes


class TestSeveralPods:
    def test_all_must_be_ready(self):
        seen = look(pod("ready"), pod("pulling"), wanted=TWO)
        assert (seen.state, seen.replicas) == (State.STARTING, Replicas(desired=2, updated=2, healthy=1, serving=1))

    def test_a_permanent_failure_of_one_is_the_service_s(self):
        seen = look(pod("denied"), pod("tag-missing"), wanted=TWO)
        assert (seen.state, seen.finding.rule.code) == (State.FAILED, "TagNotFound")

    def test_pods_of_an_edited_deployment_are_no_failure_of_the_template(self):
        """They have its label and another image, and end when the Deployment is applied again."""
        edited = changed(pod("tag-missing"), image="registry.example/web:other")
        right = changed(pod("pulling"), image=TWO.request.image)
        seen = look(right, edited, wanted=TWO)
        assert (seen.state, seen.replicas.updated) == (State.PULLING, 1)
        rewritten = changed(right, image="mirror.example/web:1")
        assert look(rewritten, edited, wanted=TWO).state is State.FAILED

    def test_a_failing_pod_that_is_not_needed_any_more_is_no_failure(self):
        """The service was scaled down: the controller deletes the failing one in a moment."""
        assert look(pod("ready"), pod("crashed-twice")).state is State.HEALTHY
        assert look(pod("crashed-twice"), wanted=replace(WEB, replicas=0)).state is State.HEALTHY

    def test_of_several_equal_findings_the_oldest_pod_is_reported(self):
        first, second = pod("platform"), pod("platform", uid="2", created=at(1), node="node-2")
        for pods in ((first, second), (second, first)):
            seen = look(*pods, wanted=TWO, answers=node())
            assert seen.finding.message == "image pull failed: not built for linux/amd64"

    def test_pods_of_an_old_template_do_not_count(self):
        old = replace(pod("evicted"), template="bbbbbbbbbb")
        seen = look(pod("ready", template="bbbbbbbbbb"), old, pod("pulling"))
        assert (seen.state, seen.replicas) == (State.PULLING, Replicas(desired=1, updated=1, healthy=0, serving=1))


class TestEvictions:
    """Evictions for exceeded storage repeat: every next pod fills it again."""

    def test_the_second_pod_that_exceeds_its_own_limit_is_a_failure(self):
        evicted = pod("evicted-own-limit")
        seen = look(evicted, replace(evicted, uid="2"), pod("pulling"))
        assert (seen.state, seen.finding.rule.code) == (State.FAILED, "StorageLimitExceeded")
        assert seen.finding.message == "storage limit exceeded: cache (limit 1Mi)"

    def test_an_eviction_by_the_nodes_own_trouble_is_no_failure(self):
        evicted = pod("evicted")
        assert look(*(replace(evicted, uid=str(n)) for n in range(9)), pod("pulling")).finding is None

    def test_evictions_before_the_request_do_not_count(self):
        evicted = pod("evicted-own-limit")
        assert look(evicted, replace(evicted, uid="2"), at=HOUR, requested_at=HOUR).finding is None

    @pytest.mark.parametrize(
        ("message", "reason"),
        [
            # pkg/kubelet/eviction/helpers.go of Kubernetes 1.35
            (
                "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ",
                "ephemeral local storage",
            ),
            ('Container web exceeded its local ephemeral storage limit "1Mi". ', "web"),
        ],
    )
    def test_other_texts_of_an_eviction(self, message, reason):
        evicted = pod("evicted-own-limit", message=message)
        seen = look(evicted, replace(evicted, uid="2"))
        assert seen.finding.message == f"storage limit exceeded: {reason} (limit 1Mi)"

    @pytest.mark.parametrize(
        ("reason", "message"),
        [
            # pkg/kubelet/nodeshutdown and pkg/kubelet/lifecycle of Kubernetes 1.35
            ("Terminated", "Pod was terminated in response to imminent node shutdown."),
            ("NodeShutdown", "Pod was rejected as the node is shutting down."),
            ("Preempting", "Preempted in order to admit critical pod"),
            ("OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu, requested: 100, used: 1950"),
        ],
    )
    def test_a_node_that_shuts_down_preempts_or_rejects_is_no_evidence(self, reason, message):
        assert look(pod("evicted", reason=reason, message=message)).finding is None

    def test_a_preempted_pod_that_still_ends_is_no_evidence(self):
        """The scheduler deletes it; until it is gone, it looks as if it crashed."""
        assert look(pod("crashed-twice", terminating=True)).finding is None


class TestReplicas:
    def test_no_desired_and_no_observed_replica_is_healthy(self):
        seen = look(wanted=replace(WEB, replicas=0), deployment=0)
        assert (seen.state, seen.replicas.desired) == (State.HEALTHY, 0)

    def test_without_replicas_in_the_spec_the_autoscalers_number_is_desired(self):
        seen = look(pod("ready"), wanted=replace(WEB, replicas=None), deployment=3)
        assert (seen.state, seen.replicas) == (State.STARTING, Replicas(desired=3, updated=1, healthy=1, serving=1))

    def test_a_service_without_its_deployment_is_not_healthy(self):
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
        assert (later.state, later.finding.message) == (
            State.FAILED,
            "pods refused: maximum memory usage per Container is 10M, but limit is 64M",
        )

    @pytest.mark.parametrize("refusal", [QUOTA, LIMIT])
    def test_a_refusal_is_about_older_pods_when_all_new_ones_exist(self, refusal):
        """A Deployment reports it until the old ReplicaSet is scaled down, long after the fix."""
        seen = look(pod("pulling"), refusal=refusal)
        assert (seen.state, seen.finding) == (State.PULLING, None)

    @pytest.mark.parametrize(
        ("problem", "message"),
        [
            (Problem("taken", 'Deployment "web" belongs to Helm'), 'Deployment "web" belongs to Helm'),
            (Problem("refused", "too long"), "refused by the cluster: too long"),
        ],
    )
    def test_an_object_that_cannot_be_written_fails_a_service_with_ready_pods(self, problem, message):
        seen = look(pod("ready"), problem=problem)
        assert (seen.state, seen.finding.message) == (State.FAILED, message)

    def test_an_object_whose_webhook_is_broken_has_a_minute_in_which_its_service_is_not_healthy(self):
        broken = Problem("blocked", "failed calling webhook")
        first = look(pod("ready"), problem=broken)
        assert (first.state, offset(first.finding.due)) == (State.SUSPECT, 63)
        later = look(
            pod("ready"), problem=broken, at=63, previous=before("AdmissionBroken", "object-blocked", healthy=1)
        )
        assert later.state is State.FAILED

    def test_a_deployment_s_refusal_of_an_older_spec_is_not_kept(self):
        meta = {"namespace": "shop", "name": "web", "uid": "1", "resourceVersion": "1", "generation": 2}
        meta["creationTimestamp"] = "2026-01-31T12:00:00Z"
        failure = {"type": "ReplicaFailure", "status": "True", "message": QUOTA}
        status = {"observedGeneration": 1, "conditions": [failure]}
        assert project_child("Deployment", {"metadata": meta, "status": status}).refusal == ""
        status["observedGeneration"] = 2
        assert project_child("Deployment", {"metadata": meta, "status": status}).refusal == QUOTA
