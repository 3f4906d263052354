"""Pods that no scheduler places, or that kubelets reject: every cause, and advice that fits it."""

from dataclasses import replace

import pytest

from mill_api.service_status import State
from mill_operator.core.observed.events import ObservedEvent
from mill_operator.core.observed.lookup_results import LookupResults
from mill_operator.core.observed.pods import ObservedPod, project_pod
from mill_operator.core.verdicts.scheduling_predicates import Obstacle, scheduling_causes
from tests.support.outside_cases import observe
from tests.support.recordings import UID, at, before, body, changed, look, offset, pod, remembered

from . import event_texts as events


@pytest.mark.parametrize(
    ("message", "causes", "obstacle"),
    [
        (
            (
                "0/9 nodes are available: "
                "1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, "
                "3 Insufficient memory, 5 Insufficient cpu. preemption: 0/9 nodes are available: 9 No preemption "
                "victims found for incoming pod."
            ),
            [
                "insufficient cpu",
                "insufficient memory",
                "untolerated taint node-role.kubernetes.io/control-plane",
            ],
            Obstacle.RESOURCES,
        ),
        (
            (
                "0/4 nodes are available: 1 node(s) had untolerated taint {a: b}, "
                "1 node(s) had untolerated taint {c: d}, "
                "2 node(s) didn't satisfy existing pods anti-affinity rules."
            ),
            ["pod anti-affinity", "untolerated taint a", "untolerated taint c"],
            Obstacle.PLACEMENT,
        ),
        (
            (
                "0/10 nodes are available: 2 node(s) had taint {node/test: true}, that the pod didn't tolerate, "
                "6 node(s) had taint {node/unhealthy: true}, that the pod didn't tolerate, "
                "2 pvc(s) bound to non-existent pv(s)"
            ),
            ["untolerated taint node/unhealthy", "untolerated taint node/test", "volume no longer exists"],
            Obstacle.PLACEMENT,
        ),
        (
            (
                "No nodes are available that match all of the following predicates:: Insufficient cpu (9), "
                "Insufficient memory (15), MatchNodeSelector (18)."
            ),
            ["node selector matches none", "insufficient memory", "insufficient cpu"],
            Obstacle.PLACEMENT,
        ),
        (
            (
                '0/3 nodes are available: persistentvolumeclaim "data" not found. preemption: 0/3 nodes are available: '
                "3 Preemption is not helpful for scheduling."
            ),
            ['persistentvolumeclaim "data" not found'],
            Obstacle.VOLUMES,
        ),
        (
            "0/2 nodes are available: 2 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.",
            ["untolerated taint node.kubernetes.io/not-ready"],
            Obstacle.NODES,
        ),
        (
            (
                "0/1 nodes are available: preemption: 0/1 nodes are available: 1 Preemption is not helpful for "
                "scheduling."
            ),
            ["the scheduler names no cause"],
            Obstacle.OTHER,
        ),
        ("0/1 nodes are available: .", ["the scheduler names no cause"], Obstacle.OTHER),
        ("", [""], Obstacle.OTHER),
    ],
)
def test_every_cause_is_named_the_one_of_most_nodes_first(message: str, causes: list[str], obstacle: Obstacle) -> None:
    found = scheduling_causes(message)
    assert [each.text for each in found] == causes
    assert found[0].obstacle is obstacle


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("3 Insufficient cpu.", "Request less cpu or memory"),
        ("1 node(s) were unschedulable.", "kubectl get nodes"),
        ("3 node(s) had volume node affinity conflict.", "kubectl describe pvc"),
        ("3 node(s) didn't have free ports for the requested pod ports.", "fewer replicas"),
        ("3 node(s) didn't match pod topology spread constraints.", "kubectl describe nodes"),
        ("3 cannot allocate all claims.", "resourceclaims"),
        ("3 something new.", "what the message names"),
    ],
)
def test_advice_fits_the_cause(text: str, advice: str) -> None:
    finding = look(pod("unschedulable", unschedulable=f"0/3 nodes are available: {text}")).finding
    assert finding is not None
    assert finding.rule.code == "Unschedulable"
    assert advice in finding.suggestion


def test_causes_that_take_turns_have_one_timer() -> None:
    """Nodes change while a pod waits, and with them the cause that most of them have."""
    ports = pod("unschedulable", unschedulable="0/1 nodes are available: 1 node(s) didn't have free ports for the x.")
    seen = look(ports, at=60, previous=before("Unschedulable", "unschedulable"))
    assert seen.finding is not None
    assert (seen.finding.rule.id, offset(seen.finding.due)) == ("unschedulable-port", 123)


def test_a_gate_is_named_and_never_ends_a_rollout() -> None:
    recorded = body("unschedulable")
    recorded["spec"]["schedulingGates"] = [{"name": "kueue.x-k8s.io/admission"}]
    condition = recorded["status"]["conditions"][0]
    condition |= {"reason": "SchedulingGated", "message": "Scheduling is blocked due to non-empty scheduling gates"}
    finding = look(project_pod(recorded), at=9999).finding
    assert finding is not None
    assert finding.message == "waiting for the scheduling gate kueue.x-k8s.io/admission"
    assert (finding.due, finding.has_own_time) == (None, True)


def _rejected(number: int, created: float = 0.0, **changes: str) -> ObservedPod:
    reason, message = "OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu"
    return replace(
        pod("evicted", created=at(created), uid=str(number)), **{"reason": reason, "message": message, **changes}
    )


class TestRejectedPods:
    """A kubelet rejects a pod that its scheduler has placed; the controller creates the next one at once."""

    def test_one_is_no_evidence_two_are_a_suspicion_three_fail_after_a_while(self) -> None:
        pods = [_rejected(number) for number in range(3)]
        assert look(pods[0]).finding is None
        two = look(*pods[:2])
        assert two.finding is not None
        assert (two.state, two.finding.due) == (State.SUSPECT, None)
        three = look(*pods)
        assert three.finding is not None
        assert offset(three.finding.due) == 33
        assert three.finding.message == (
            "pods rejected by node node-1: OutOfcpu: Node didn't have enough resource: cpu"
        )
        assert look(*pods, at=33, previous=remembered(three)).state is State.FAILED

    def test_a_pod_that_is_admitted_later_ends_the_suspicion(self) -> None:
        """The node had not let its old pods go yet."""
        pods = [_rejected(number) for number in range(9)]
        assert look(*pods, at=5).finding is not None
        admitted = look(*pods, pod("unready", created=at(2)), at=5).finding
        assert admitted is not None
        assert admitted.rule.code == "HealthCheckTimeout"

    def test_rejections_of_long_ago_are_no_evidence(self) -> None:
        assert look(*(_rejected(number) for number in range(9)), at=601).finding is None

    def test_pods_of_another_version_are_no_evidence(self) -> None:
        assert look(*(_rejected(number, template="bbbbbbbbbb") for number in range(9))).finding is None

    def test_evictions_in_a_row_are_a_suspicion_and_no_failure(self) -> None:
        status = None
        for second in (3, 60, 500):
            seen = look(*(pod("evicted", uid=str(n)) for n in range(3)), at=second, previous=status)
            assert seen.finding is not None
            assert (seen.state, seen.finding.due) == (State.SUSPECT, None)
            assert seen.finding.message == "evicted 3 times: The node was low on resource: memory."
            status = remembered(seen)


class TestBeforeTheFirstContainer:
    def test_the_summary_of_the_kubelet_hides_no_cause(self) -> None:
        summary = ObservedEvent(
            "FailedMount",
            "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process "
            "volumes=[]: context deadline exceeded",
        )
        specific = ObservedEvent(*events.MOUNT_OF_NOTHING)
        for order in ((summary, specific), (specific, summary)):
            finding = look(pod("mounting"), at=30, answers=LookupResults(events={UID: order})).finding
            assert finding is not None
            assert finding.rule.id == "volume-missing"

    @pytest.mark.parametrize(
        ("cause", "secret"),
        [
            ("references non-existent secret key: db.password", "db.password"),
            ('secret "mill-secrets" not found', "db.url"),
        ],
    )
    def test_a_file_whose_secret_is_missing(self, cause: str, secret: str) -> None:
        message = f'MountVolume.SetUp failed for volume "secret-files" : {cause}'
        results = LookupResults(events={UID: (ObservedEvent("FailedMount", message),)})
        seen = look(pod("mounting"), at=30, answers=results)
        assert seen.finding is not None
        assert (seen.finding.rule.id, seen.finding.message) == ("secret-file", f'secret "{secret}" not found')
        assert seen.finding.suggestion == f"Set it: mill secret set {secret} VALUE"

    def test_a_node_that_asks_before_the_api_server_knows_its_pod_is_no_news(self) -> None:
        results = LookupResults(events={UID: (ObservedEvent(*events.MOUNT_BEFORE_THE_API_SERVER_KNOWS),)})
        pending = pod("mounting", bound_at=at(0))
        early, late, failed = (look(pending, at=each, answers=results) for each in (29, 30, 300))
        assert [each.state for each in (early, late, failed)] == [State.PULLING, State.SUSPECT, State.FAILED]
        assert early.finding is not None
        assert early.finding.rule.id == "volume-not-related"

    def test_a_failed_mount_stays_failed_while_its_causes_take_turns(self) -> None:
        failed = before("VolumeNotFound", "volume-missing", state=State.FAILED)
        broken = LookupResults(events={UID: (ObservedEvent(*events.MOUNT_OF_A_BROKEN_DISK),)})
        seen = look(pod("mounting"), at=40, previous=failed, answers=broken)
        assert seen.finding is not None
        assert (seen.state, seen.finding.rule.id) == (State.FAILED, "volume-mount")

    @pytest.mark.parametrize(
        ("text", "rule"),
        [
            # pkg/kubelet/cm/dra/manager.go
            ('Failed to prepare dynamic resources: NodePrepareResources failed for gpu: no device', "devices"),
            ("network is not ready: container runtime network not ready: NetworkReady=false", "sandbox"),
            ("Failed to create pod sandbox: rpc error: code = DeadlineExceeded desc = context deadline exceeded",
             "sandbox-slow"),
            (('Failed to create pod sandbox: rpc error: code = Unknown desc = failed to reserve sandbox name "web_0": '
             'name "web_0" is reserved for "5f"'), "sandbox-slow"),
            (("Failed to create pod sandbox: rpc error: code = Unknown desc = failed to start sandbox container: runc "
             "create failed: container init was OOM-killed (memory limit too low?): unknown"), "sandbox-memory"),
        ],
    )  # fmt: skip
    def test_other_events(self, text: str, rule: str) -> None:
        reason = {"devices": "FailedPrepareDynamicResources"}.get(rule, "FailedCreatePodSandBox")
        reason = "NetworkNotReady" if text.startswith("network") else reason
        finding = look(
            pod("mounting"), at=30, answers=LookupResults(events={UID: (ObservedEvent(reason, text),)})
        ).finding
        assert finding is not None
        assert finding.rule.id == rule

    def test_a_volume_that_is_no_claim_is_named_as_the_event_does(self) -> None:
        message = 'MountVolume.SetUp failed for volume "vault" : rpc error: code = Unknown desc = permission denied'
        results = LookupResults(events={UID: (ObservedEvent("FailedMount", message),)})
        ours = look(pod("mounting"), at=30, answers=results).finding
        injected = look(changed(pod("mounting"), other_volumes=("vault",)), at=30, answers=results).finding
        assert ours is not None
        assert injected is not None
        assert 'volume "mount-data"' in ours.message
        assert 'volume "vault"' in injected.message
        assert "pvc" not in injected.suggestion


def test_a_provisioner_at_work_has_eight_minutes() -> None:
    case = {"where": "claim-event", "kubernetes_reason": "Provisioning", "text": "External provisioner is provisioning"}
    finding = observe(case).finding
    assert finding is not None
    assert (finding.rule.id, offset(finding.due)) == ("volume-provisioning", 483)
