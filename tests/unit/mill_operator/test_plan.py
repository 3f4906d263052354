"""The plan of writes: from observed and desired objects."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mill_api.owner import Owner
from mill_api.service_status import Replicas, ServiceStatus, State
from mill_objects.key import Key
from mill_operator.core.objects.desired import ChildObject
from mill_operator.core.objects.plan import KnownVersion, Plan, plan, postponed
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.mill_deployments import project_mill_deployment
from mill_operator.core.observed.nodes import ObservedNode
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.observed.snapshot import Snapshot
from mill_operator.core.rollout.leftovers import Leftover, late_pod_lookups, leftovers
from mill_operator.core.rollout.stale_pods import pods_to_replace
from mill_operator.core.verdicts.observation import Observation
from mill_operator.core.verdicts.settling_pods import SettlingPods
from tests.support.children import OBSERVED
from tests.support.recordings import CREATED, pod
from tests.support.recordings import WEB as WANTED

OWNER = Owner(Key("shop", "mill"), "parent")
WEB = ChildObject("Deployment", Key("shop", "web"), "web", "hash-1")
NOTHING = Plan()


def compare(
    wanted: list[ChildObject], there: list[ObservedChild], known: dict[str, KnownVersion] | None = None
) -> Plan:
    return plan(wanted, there, owner=OWNER, known=known or {})


def test_a_missing_object_is_created():
    assert compare([WEB], []) == Plan(create=(WEB,))


def test_a_matching_object_is_not_written_and_is_trusted_after_a_restart():
    assert compare([WEB], [replace(OBSERVED, revision="7")]) == NOTHING


def test_an_object_that_differs_is_written():
    old = replace(OBSERVED, applied="hash-0")
    assert compare([WEB], [old]) == Plan(update=((WEB, old),))


def test_an_object_that_another_client_changed_is_written():
    assert compare([WEB], [replace(OBSERVED, revision="2")], {WEB.applied: KnownVersion("uid-1", "1")}).update
    assert compare([WEB], [OBSERVED], {WEB.applied: KnownVersion("uid-1", "1")}) == NOTHING


def test_an_object_that_took_the_place_of_a_known_one_is_written():
    """As after `kubectl replace --force`, also with the hash of the content that it has no more."""
    assert compare([WEB], [OBSERVED], {WEB.applied: KnownVersion("uid-0", "1")}).update


def test_an_object_of_the_same_name_and_another_kind_is_another():
    service = replace(OBSERVED, kind="Service")
    assert compare([WEB], [service]) == Plan(create=(WEB,), delete=(service,))


def test_an_object_that_is_no_longer_desired_is_deleted():
    assert compare([], [OBSERVED]) == Plan(delete=(OBSERVED,))


def test_an_object_of_another_owner_is_never_deleted():
    assert compare([], [replace(OBSERVED, owner_uid="other"), replace(OBSERVED, owner_uid="")]) == NOTHING


def test_data_is_never_deleted():
    assert compare([], [replace(OBSERVED, kind="PersistentVolumeClaim")]) == NOTHING


def test_a_terminating_object_is_waited_for():
    going = replace(OBSERVED, terminating=True, applied="old")
    assert compare([WEB], [going]) == NOTHING
    assert compare([], [going]) == NOTHING


def test_a_predecessors_object_is_waited_for_and_never_written():
    """The garbage collector deletes it; an apply would give it two controllers."""
    left = replace(OBSERVED, owner_uid="older", applied="hash-0")
    assert compare([WEB], [left]) == NOTHING
    assert compare([], [left]) == NOTHING


def test_the_name_of_an_object_of_another_controller_is_taken():
    theirs = replace(OBSERVED, owner_uid="other", owner="Application shop")
    assert compare([WEB], [theirs]) == Plan(taken=((WEB, theirs),))


def test_an_object_that_lost_its_owner_is_applied_again():
    orphan = replace(OBSERVED, owner_uid="", owner="", applied="hash-0")
    assert compare([WEB], [orphan]) == Plan(update=((WEB, orphan),))


class TestTakenNames:
    """A service of which a name is taken is not written, and no object is written without those that it names."""

    CLAIM = ChildObject("PersistentVolumeClaim", Key("shop", "data"), "web", "hash-2")
    SERVICE = ChildObject("Service", Key("shop", "web"), "web", "hash-3")
    INGRESS = ChildObject("Ingress", Key("shop", "web"), "web", "hash-4")
    OTHER = ChildObject("Deployment", Key("shop", "other"), "other", "hash-5")
    TASK = ChildObject("CronJob", Key("shop", "web"), None, "hash-6")
    ALL = (WEB, CLAIM, SERVICE, INGRESS, OTHER, TASK)

    def test_nothing_of_the_service_is_written_or_deleted(self):
        theirs = replace(OBSERVED, kind="Service", owner_uid="other", owner="Application shop")
        old, left = replace(OBSERVED, applied="hash-0"), replace(OBSERVED, kind="Ingress")
        unwanted = replace(OBSERVED, kind="Ingress", service="gone", key=Key("shop", "gone"))
        found = compare([WEB, self.CLAIM, self.SERVICE, self.OTHER], [theirs, old, left, unwanted])
        assert found == Plan(create=(self.OTHER,), delete=(unwanted,), taken=((self.SERVICE, theirs),))

    def test_an_ingress_waits_for_the_service_of_a_predecessor_to_go(self):
        left = replace(OBSERVED, kind="Service", owner_uid="older")
        assert compare([WEB, self.SERVICE, self.INGRESS], [left, OBSERVED]) == NOTHING

    @pytest.mark.parametrize(
        ("left_out", "expected"),
        [
            ({CLAIM}, (SERVICE, INGRESS, OTHER, TASK)),
            ({SERVICE}, (WEB, CLAIM, OTHER, TASK)),
            ({WEB}, (CLAIM, SERVICE, INGRESS, OTHER, TASK)),
            ({TASK}, (WEB, CLAIM, SERVICE, INGRESS, OTHER)),
            ((), ALL),
        ],
    )
    def test_what_names_a_missing_object_is_left_out_with_it(self, left_out, expected):
        assert Plan(create=self.ALL).without(left_out).create == expected

    def test_an_object_that_exists_keeps_back_nothing(self):
        claim = replace(OBSERVED, kind="PersistentVolumeClaim")
        todo = Plan(create=(WEB,), update=((self.CLAIM, claim),))
        assert todo.without({self.CLAIM}) == Plan(create=(WEB,))

    def test_a_name_that_is_needed_later_is_looked_up_with_the_others(self):
        found = plan([WEB, self.SERVICE], [], owner=OWNER, known={}, postponed={"web"})
        assert found == Plan(create=(self.SERVICE,), later=(WEB,))
        assert found.unobserved == {("service", "web"): [self.SERVICE, WEB]}
        waiting = plan([WEB], [], owner=OWNER, known={}, postponed={"web"})
        assert waiting.unobserved == {}, "where nothing is written, nothing is looked up"


class TestPostponed:
    """A third version within ten seconds of the first good pod, while the second does not work."""

    GOOD = replace(pod("ready"), template="first")
    BAD = replace(pod("tag-missing"), template="second")
    READY = GOOD.ready_at

    def until(self, *pods: ObservedPod, after: float) -> list[float]:
        found = postponed([WANTED], pods, self.READY + timedelta(seconds=after))
        return [(moment - self.READY).total_seconds() for moment in found.values()]

    def test_the_third_version_waits_until_the_first_counts_as_available(self):
        assert self.until(self.GOOD, self.BAD, after=3) == [11]
        assert self.until(self.GOOD, self.BAD, after=11) == []

    def test_a_second_version_waits_for_nothing(self):
        assert self.until(self.GOOD, after=3) == []

    def test_pods_of_the_desired_version_postpone_nothing(self):
        assert self.until(self.GOOD, replace(self.BAD, template=WANTED.template), after=3) == []

    def test_a_skewed_clock_postpones_nothing(self):
        assert self.until(self.GOOD, self.BAD, after=-3600) == []

    def test_only_the_deployment_waits(self):
        old, service = replace(OBSERVED, applied="hash-0"), replace(WEB, kind="Service")
        found = plan([WEB, service], [old], owner=OWNER, known={}, postponed={"web"})
        assert found == Plan(create=(service,))

    @pytest.mark.parametrize("kind", ["Service", "Ingress"])
    def test_what_leads_to_a_held_version_waits_too_unless_others_have_edited_it(self, kind):
        child = replace(WEB, kind=kind)
        for applied, update in (("hash-0", False), (child.applied, True)):
            old = replace(OBSERVED, kind=kind, applied=applied)
            known = {child.applied: KnownVersion(old.uid, "another revision")}
            found = plan([child], [old], owner=OWNER, known=known, postponed={"web"}, held={"web"})
            assert found == Plan(update=((child, old),) if update else ())
        assert plan([child], [], owner=OWNER, known={}, held={"web"}) == Plan(create=(child,))
        removed = replace(OBSERVED, kind=kind)
        assert plan([WEB], [OBSERVED, removed], owner=OWNER, known={}, held={"web"}) == Plan()
        assert plan([WEB], [OBSERVED, removed], owner=OWNER, known={}) == Plan(delete=(removed,))


class TestPredecessor:
    """A resource is deleted and created again at once: its old pods still run, with the same template."""

    BORN = CREATED + timedelta(seconds=60)

    def see(self, *children: ObservedChild) -> tuple[int, int]:
        metadata = {
            "namespace": OWNER.key.namespace,
            "name": OWNER.key.name,
            "uid": OWNER.uid,
            "resourceVersion": "1",
            "generation": 1,
            "creationTimestamp": self.BORN.isoformat(),
        }
        snapshot = Snapshot.of(project_mill_deployment({"metadata": metadata}), [pod("ready")], children, [])
        return len(snapshot.pods), len(snapshot.children)

    def test_pods_and_objects_of_a_predecessor_do_not_count(self):
        assert self.see(replace(OBSERVED, owner_uid="older")) == (0, 0)
        assert self.see(replace(OBSERVED, created=self.BORN)) == (0, 1)
        assert self.see() == (0, 0)

    def test_pods_of_a_deployment_that_was_taken_over_count(self):
        assert self.see(OBSERVED) == (1, 1)


@pytest.mark.parametrize(
    ("state", "renewed"),
    [(State.FAILED, True), (State.SUSPECT, True), (State.STARTING, False), (State.PULLING, False)],
)
def test_a_new_request_replaces_pods_of_failing_services_alone(state, renewed):
    seen = Observation(
        "web", "web:1", WANTED.template, Replicas(), (), state, None, None, SettlingPods(all_ready=False)
    )
    bad, going = pod("unready"), pod("terminating")
    old = replace(bad, template="old")
    assert pods_to_replace([seen], [pod("ready"), bad, going, old]) == ([bad] if renewed else [])


def left(
    *observed: ObservedChild, pods: tuple[ObservedPod, ...] = (), wanted: tuple[str, ...] = ()
) -> dict[str, Leftover]:
    nodes = {"node-1": ObservedNode("linux/amd64", "Unknown", None)}
    return leftovers(wanted, observed, pods, owner=OWNER, nodes=nodes)


def test_a_removed_service_is_counted_until_all_of_it_is_gone():
    service, claim = replace(OBSERVED, kind="Service"), replace(OBSERVED, kind="PersistentVolumeClaim", owner_uid="")
    assert left(OBSERVED, service, claim, pods=(pod("ready"),)) == {"web": Leftover(3, "node node-1 does not answer")}
    assert left(claim, pods=(pod("terminating"),)) == {"web": Leftover(1, "node node-1 does not answer")}
    assert left(service) == {"web": Leftover(1, "Service web is still there")}
    assert left(claim) == {}
    assert left(OBSERVED, pods=(pod("ready"),), wanted=("web",)) == {}


def test_a_node_is_blamed_only_if_it_is_silent():
    nodes = {"node-1": ObservedNode("linux/amd64", "True", None)}
    for known in (nodes, {}):
        left_there = leftovers([], [], [pod("terminating")], owner=OWNER, nodes=known)
        assert left_there["web"].where.startswith("Pod web-")


def test_nodes_are_looked_up_when_pods_should_have_ended():
    leaves = ServiceStatus(name="web", state=State.STOPPING, moved_at="2026-01-31T12:00:00.000Z")
    ends = [pod("terminating", stop_seconds=15)]
    assert late_pod_lookups([leaves], ends, CREATED + timedelta(seconds=14)) == set()
    assert {each.name for each in late_pod_lookups([leaves], ends, CREATED + timedelta(seconds=15))} == {"node-1"}
    slow = [pod("terminating", stop_seconds=50)]
    assert late_pod_lookups([leaves], slow, CREATED + timedelta(seconds=49)) == set()
    assert late_pod_lookups([leaves], slow, CREATED + timedelta(seconds=50)) != set()
    edited = [pod("terminating", stop_seconds=10**9)]
    assert late_pod_lookups([leaves], edited, CREATED + timedelta(seconds=305)) != set()
    healthy = leaves.model_copy(update={"state": State.HEALTHY})
    assert late_pod_lookups([healthy], ends, CREATED + timedelta(seconds=60)) == set()


def test_foreign_objects_are_no_leftover_of_a_service():
    assert left(replace(OBSERVED, owner_uid="other"), replace(OBSERVED, owner_uid="")) == {}


def test_tasks_are_no_services():
    assert left(replace(OBSERVED, kind="CronJob", service="")) == {}
