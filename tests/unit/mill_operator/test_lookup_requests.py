"""Lookup requests: only where a pod's status lacks the cause, and only when a result helps."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.events import project_events
from mill_operator.core.observed.nodes import project_node
from mill_operator.core.observed.pods import ObservedPod
from tests.support.recordings import TWO, UID, WEB, at, claim, look, pod, waiting


@dataclass(frozen=True)
class Row:
    what: str
    pod: ObservedPod
    asked: set[tuple[str, str]]
    at: float = 3.0
    claims: tuple[ObservedChild, ...] = ()


EVENTS = ("events", UID)
NODE = ("node", "node-1")
NODES = ("nodes", "")
BARE = waiting("ImagePullBackOff", 'Back-off pulling image "registry.example/web:1"')
CRIO = waiting("ErrImagePull", "no image found in manifest list for architecture amd64, variant '', OS linux")
BOUND = (claim("Bound", name="affinity-data"),)
UNBOUND = (claim(name="noclass-data"),)

ROWS = [
    Row("a tag that is missing says all", pod("tag-missing"), set()),
    Row("another platform: than which?", pod("platform"), {NODE}),
    Row("a program for another processor", pod("exec-format"), {NODE}),
    Row("access denied: are the credentials missing, or is the node new?", pod("denied"), {EVENTS, NODE}),
    Row("a back-off without a cause", BARE, {EVENTS}),
    Row("a start is given five seconds", pod("unready"), set(), at=5),
    Row("a start that takes long: what does the probe say?", pod("unready"), {EVENTS}, at=7),
    Row("is the node still there?", pod("unready"), {EVENTS, NODE}, at=12),
    Row("a pod is given five seconds to begin", pod("pulling"), set(), at=4.9),
    Row("what does it wait for?", pod("pulling"), {EVENTS}, at=5),
    Row("is its node still there?", pod("pulling"), {EVENTS, NODE}, at=10),
    Row("a crash says all", pod("crashed-twice"), set(), at=60),
    Row("no node is normal for a minute, but how large is the largest?", pod("unschedulable"), {NODES}, at=0),
    Row("the same for CPU", pod("unschedulable-cpu"), {NODES}, at=59),
    Row("has somebody ordered a node?", pod("unschedulable"), {EVENTS, NODES}, at=60),
    Row("labels exclude the nodes, whatever their size", pod("unschedulable-selector"), set(), at=59),
    Row("a claim is given five seconds", pod("volume-unbound"), set(), at=4, claims=UNBOUND),
    Row("why is the claim not bound?", pod("volume-unbound"), {("events", "noclass-data-uid")}, at=5, claims=UNBOUND),
    Row(
        "a claim that is bound",
        pod("unschedulable-volume"),
        set(),
        at=5,
        claims=(claim("Bound", name="affinity-data"),),
    ),
    Row("an injected container that is not ready", pod("sidecar-image-missing"), set(), at=3),
    Row("a pod that is ready is never asked about", pod("ready"), set(), at=9999),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_lookup_of_a_pod(row: Row) -> None:
    seen = look(row.pod, at=row.at, claims=row.claims)
    assert {(each.about, each.name) for each in seen.lookup_requests} == row.asked


def test_of_many_failing_pods_the_oldest_is_looked_up() -> None:
    pods = [pod("denied", uid=f"{n:02}", created=at(n)) for n in range(20)]
    seen = look(*reversed(pods), at=30, wanted=replace(WEB, replicas=20))
    assert {each.name for each in seen.lookup_requests} == {"00", "node-1"}


def test_no_lookup_is_requested_without_need() -> None:
    assert look(pod("ready"), pod("denied")).lookup_requests == frozenset()
    assert look(pod("ready"), pod("denied"), wanted=TWO).lookup_requests


def test_lookups_about_silent_pods_become_rarer() -> None:
    moment, looks = 0.0, []
    while (wake := look(pod("mounting"), at=moment).wake_at) is not None and len(looks) < 8:
        moment = (wake - at(0)).total_seconds()
        looks.append(moment - 13)  # it was bound after 13 s
    assert looks == [5, 10, 20, 40, 80, 160, 320, 640]


class TestResults:
    def test_the_newest_event_comes_first_whichever_field_has_its_time(self) -> None:
        def event(reason: str, **times: Any) -> dict[str, Any]:
            meta = {"creationTimestamp": "2026-01-31T12:00:00Z"}
            return {"metadata": meta, "reason": reason, "message": reason, **times}

        events = [
            event("created"),
            event("counted", lastTimestamp="2026-01-31T12:00:02Z"),
            event("once", lastTimestamp=None, eventTime="2026-01-31T12:00:01.000001Z"),
            event("series", eventTime="2026-01-31T12:00:01Z", series={"lastObservedTime": "2026-01-31T12:00:03.5Z"}),
        ]
        assert [each.reason for each in project_events(events)] == ["series", "counted", "once", "created"]

    def test_an_event_s_container_and_no_credentials_are_kept(self) -> None:
        body = {
            "metadata": {"creationTimestamp": "2026-01-31T12:00:00Z"},
            "reason": "Failed",
            "message": "cannot fetch https://user:hunter2@registry.example/v2/",
            "involvedObject": {"kind": "Pod", "fieldPath": "spec.containers{web}"},
        }
        (event,) = project_events([body])
        assert event.container == "web"
        assert event.message == "cannot fetch https://***@registry.example/v2/"

    def test_a_node(self) -> None:
        body = {
            "status": {
                "nodeInfo": {"operatingSystem": "linux", "architecture": "arm64"},
                "conditions": [
                    {"type": "MemoryPressure", "status": "False"},
                    {"type": "Ready", "status": "Unknown", "lastTransitionTime": "2026-01-31T12:00:50Z"},
                ],
            }
        }
        facts = project_node(body)
        assert (facts.platform, facts.ready, facts.ready_since) == ("linux/arm64", "Unknown", at(50))

    def test_a_node_without_conditions(self) -> None:
        facts = project_node({})
        assert (facts.platform, facts.ready, facts.ready_since) == ("", "Unknown", None)
