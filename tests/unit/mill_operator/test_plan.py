"""What exists and what should → what is written."""

from dataclasses import replace

from mill_api.key import Key
from mill_operator.core.desired import Child
from mill_operator.core.facts import ChildFacts
from mill_operator.core.plan import Plan, leaving, plan

from .test_judge import pod

WEB = Child("Deployment", Key("shop", "web"), "web", {}, "hash-1")
THERE = ChildFacts(
    kind="Deployment",
    key=Key("shop", "web"),
    uid="uid-1",
    resource_version="1",
    deployment="mill",
    service="web",
    owner_uid="parent",
    applied="hash-1",
    revision="1",
    terminating=False,
    replicas=1,
    refusal="",
)
NOTHING = Plan((), (), ())


def compare(wanted: list[Child], there: list[ChildFacts], revisions: dict[str, str] | None = None) -> Plan:
    return plan(wanted, there, uid="parent", revisions=revisions or {})


def test_what_is_missing_is_made():
    assert compare([WEB], []) == Plan((WEB,), (), ())


def test_what_is_right_is_left_alone_and_trusted_after_a_restart():
    assert compare([WEB], [replace(THERE, revision="7")]) == NOTHING


def test_what_is_wanted_differently_is_written():
    old = replace(THERE, applied="hash-0")
    assert compare([WEB], [old]) == Plan((), ((WEB, old),), ())


def test_what_another_hand_changed_is_written():
    assert compare([WEB], [replace(THERE, revision="2")], {"uid-1": "1"}).update
    assert compare([WEB], [THERE], {"uid-1": "1"}) == NOTHING


def test_an_object_of_the_same_name_and_another_kind_is_another():
    service = replace(THERE, kind="Service")
    assert compare([WEB], [service]) == Plan((WEB,), (), (service,))


def test_what_is_not_wanted_any_more_is_deleted():
    assert compare([], [THERE]) == Plan((), (), (THERE,))


def test_what_belongs_to_somebody_else_is_never_deleted():
    assert compare([], [replace(THERE, owner_uid="other"), replace(THERE, owner_uid="")]) == NOTHING


def test_data_is_never_deleted():
    assert compare([], [replace(THERE, kind="PersistentVolumeClaim")]) == NOTHING


def test_what_is_being_deleted_is_waited_for():
    going = replace(THERE, terminating=True, applied="old")
    assert compare([WEB], [going]) == NOTHING
    assert compare([], [going]) == NOTHING


def test_a_removed_service_is_counted_until_all_of_it_is_gone():
    service, claim = replace(THERE, kind="Service"), replace(THERE, kind="PersistentVolumeClaim")
    assert leaving([], [THERE, service, claim], [pod("ready")]) == {"web": 3}
    assert leaving([], [claim], [pod("terminating")]) == {"web": 1}
    assert leaving([], [claim], []) == {}
    assert leaving(["web"], [THERE], [pod("ready")]) == {}


def test_tasks_are_no_services():
    assert leaving([], [replace(THERE, kind="CronJob", service="")], []) == {}
