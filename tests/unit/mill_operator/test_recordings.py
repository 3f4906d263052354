"""Recordings, judged as `mill-operator judge` does: what is said, and when."""

import copy
import json
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from mill_operator.recordings.errors import RecordingError
from mill_operator.recordings.files import read_recordings
from mill_operator.recordings.frames import Reading
from mill_operator.recordings.replay import replay, scenes_of
from mill_operator.recordings.report import Row, rows_of, table
from mill_operator.recordings.sketches import BASE, objects_of
from mill_operator.recordings.times import newest_time
from tests.support.recordings import PODS, body

FOLDER: Final = Path(__file__).parent / "recordings"
RECORDINGS: Final = sorted(FOLDER.glob("*.yaml"))

AT_ONCE: Final = {
    "command-missing": "CommandNotFound",
    "command-missing-loop": "CommandNotFound",
    "crash-loop": "ContainerExited",
    "crashed-twice": "ContainerExited",
    "digest-missing": "TagNotFound",
    "exec-format": "ExecFormatError",
    "exit-0-twice": "ProgramEnded",
    "image-name": "InvalidImageName",
    "init-crashed-twice": "ContainerExited",
    "init-image-missing": "TagNotFound",
    "interpreter-missing": "InterpreterNotFound",
    "native-sidecar-crashed": "ContainerExited",
    "never-pulled": "ImageNeverPull",
    "not-executable": "CommandNotFound",
    "oom-child-twice": "OutOfMemory",
    "oom-twice": "OutOfMemory",
    "other-template": "TagNotFound",
    "platform": "WrongPlatform",
    "repository-missing": "TagNotFound",
    "sidecar-image-missing": "TagNotFound",
    "tag-missing": "TagNotFound",
    "tag-missing-backoff": "TagNotFound",
}
SUSPECT_FIRST: Final = {
    "crashed-again-after-an-hour": ("ContainerExited", 600),
    "crashed-once": ("ContainerExited", 600),
    "denied": ("PullDenied", 30),
    "evicted-own-limit": ("StorageLimitExceeded", 600),
    "evicted-status-unknown": ("StorageLimitExceeded", 600),
    "exit-0-once": ("ProgramEnded", 600),
    "forbidden": ("PullDenied", 30),
    "incomplete": ("ImageIncomplete", 30),
    "oom-once": ("OutOfMemory", 600),
    "rate-limited": ("PullRateLimited", 120),
    "registry-500": ("RegistryUnavailable", 120),
    "registry-down": ("RegistryUnavailable", 120),
    "secret-key-missing": ("SecretNotFound", 30),
    "secret-missing": ("SecretNotFound", 30),
    "throttled": ("PullThrottled", 600),
    "unauthorized": ("PullDenied", 30),
    "unschedulable": ("Unschedulable", 120),
    "unschedulable-cpu": ("Unschedulable", 120),
    "unschedulable-selector": ("Unschedulable", 120),
    "unschedulable-volume": ("Unschedulable", 120),
    "volume-unbound": ("Unschedulable", 120),
}
OTHERS: Final = {
    "evicted": ["+0 Pending", "+600 Failed Timeout"],
    "mounting": ["+0 Pulling", "+600 Failed Timeout"],
    "pulling": ["+0 Pulling", "+600 Failed Timeout"],
    "readiness-gate": ["+0 Starting", "+294 Failed ReadinessGate"],
    "ready": ["+0 Starting", "+2 Healthy"],
    "ready-without-port": ["+0 Starting", "+1 Healthy"],
    "sidecar-unready": ["+0 Starting", "+29 Failed HealthCheckTimeout"],
    "terminating": ["+0 Pending", "+600 Failed Timeout"],
    "unready": ["+0 Starting", "+29 Failed HealthCheckTimeout"],
    "unready-after-an-hour": ["+0 Starting", "+30 Failed HealthCheckTimeout"],
    "volume-late-binding": ["+0 Pending", "+600 Failed Timeout"],
}
EXPECTED: Final = {
    **{name: [f"+0 Failed {code}"] for name, code in AT_ONCE.items()},
    **{name: [f"+0 Suspect {code}", f"+{due} Failed {code}"] for name, (code, due) in SUSPECT_FIRST.items()},
    **OTHERS,
}
"""What is said of each recorded pod alone, from the newest time in it on, with nothing looked up."""


def judged(*documents: Any) -> list[Row]:
    reading = Reading()
    for each in documents:
        reading.add(each, "test")
    (recording,) = reading.recordings(None)
    return rows_of(replay(scenes_of(recording.frames)), recording.frames[0].at, recording.name)


def lines(rows: list[Row]) -> list[str]:
    return [" ".join(filter(None, (f"+{row.after:g}", row.state, row.code))) for row in rows]


def recorded(name: str, /, **metadata: Any) -> dict[str, Any]:
    pod = body(name)
    return {**pod, "kind": "Pod", "metadata": {**pod["metadata"], **metadata}}


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: file.stem)
def test_a_recording_gives_what_it_expects(file: Path) -> None:
    (expected,) = (each["expected"] for each in yaml.safe_load_all(file.read_text()) if "expected" in each)
    (recording,) = read_recordings([str(file)]).recordings(None)
    rows = rows_of(replay(scenes_of(recording.frames)), recording.frames[0].at)
    found = [
        {"after": row.after, "service": f"{row.namespace}/{row.service}", "state": row.state, "code": row.code}
        for row in rows
    ]
    assert found == [{"code": None, **each} for each in expected]


@pytest.mark.parametrize("name", [file.stem for file in sorted(PODS.glob("*.json"))])
def test_a_recorded_pod_gives(name: str) -> None:
    assert lines(judged(recorded(name))) == EXPECTED[name]


def test_a_suspicion_says_when_it_fails() -> None:
    first, last = judged(recorded("denied"))
    assert (first.time, first.due, first.speed) == ("2026-01-31T12:00:01Z", "2026-01-31T12:00:31Z", "likely")
    assert (last.time, last.due) == ("2026-01-31T12:00:31Z", None)


def test_events_answer_a_lookup() -> None:
    event = {
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "uid": body("mounting")["metadata"]["uid"]},
        "reason": "FailedMount",
        "message": 'MountVolume.SetUp failed for volume "mount-data" : hostPath type check failed: /x is no folder',
    }
    assert [row.code for row in judged(recorded("mounting"), event)] == [None, "VolumeNotFound", "VolumeNotFound"]
    other = {**event, "involvedObject": {"kind": "Pod", "uid": "another"}}
    assert [row.code for row in judged(recorded("mounting"), other)] == [None, "Timeout"]


def test_a_node_answers_a_lookup() -> None:
    info = {"operatingSystem": "linux", "architecture": "arm64"}
    node = {"kind": "Node", "metadata": {"name": "node-1"}, "status": {"nodeInfo": info}}
    (row,) = judged(recorded("platform"), node)
    assert row.message == "image pull failed: not built for linux/arm64"


def test_nodes_tell_which_is_the_largest() -> None:
    sizes = {"node-1": "8Gi", "node-2": "16Gi"}
    nodes = [
        {"kind": "Node", "metadata": {"name": name}, "status": {"allocatable": {"cpu": "2", "memory": memory}}}
        for name, memory in sizes.items()
    ]
    assert {row.detail for row in judged(recorded("unschedulable"), *nodes)} == {"largest node: 16.0 GiB"}
    assert {row.detail for row in judged(recorded("unschedulable"))} == {None}


def test_a_list_of_the_api_needs_no_kinds_in_it() -> None:
    pod = recorded("tag-missing")
    del pod["kind"]
    assert lines(judged({"kind": "PodList", "items": [pod]})) == ["+0 Failed TagNotFound"]
    wrapped = {"kind": "List", "items": [{"kind": "List", "items": [recorded("tag-missing")]}]}
    assert lines(judged([wrapped])) == ["+0 Failed TagNotFound"]


def test_a_verdict_falls_due_between_frames() -> None:
    frames = [
        {"at": 2, "objects": [recorded("denied")]},
        {"at": "2026-01-31T12:05:00Z", "objects": [recorded("ready")]},
    ]
    rows = judged({"frames": list(reversed(frames))})
    assert lines(rows)[:2] == ["+0 Suspect PullDenied", "+30 Failed PullDenied"]
    assert lines(rows)[-1] == "+298 Healthy"


def test_what_has_no_time_exists_in_all_frames() -> None:
    info = {"operatingSystem": "linux", "architecture": "arm64"}
    node = {"kind": "Node", "metadata": {"name": "node-1"}, "status": {"nodeInfo": info}}
    (row,) = judged(node, {"at": 2, "objects": [recorded("platform")]})
    assert row.message == "image pull failed: not built for linux/arm64"


def test_an_object_that_is_gone_in_a_later_frame_is_gone() -> None:
    frames = [{"at": 2, "objects": [recorded("tag-missing")]}, {"at": 9, "objects": []}]
    assert lines(judged({"frames": frames})) == ["+0 Failed TagNotFound", "+7 Pending", "+607 Failed Timeout"]


def foreign(pod: str, /, **owner: Any) -> dict[str, Any]:
    labels = {"pod-template-hash": "5d4f9c7b8"}
    owners = [{"kind": "ReplicaSet", "name": "front-5d4f9c7b8", "uid": "rs", "controller": True, **owner}]
    return recorded(pod, labels=labels, ownerReferences=owners)


@pytest.mark.parametrize(
    ("owner", "service"),
    [
        ({}, "front"),
        ({"name": "odd"}, "odd"),
        ({"kind": "StatefulSet", "name": "db"}, "db"),
        ({"kind": "DaemonSet", "name": "agent"}, "agent"),
        ({"controller": False}, "web-649fb6c97-vxhh4"),
    ],
)
def test_pods_of_others_are_one_service_for_each_controller(owner: dict[str, Any], service: str) -> None:
    second = foreign("tag-missing", **owner)
    if service != "web-649fb6c97-vxhh4":
        second["metadata"] |= {"name": "second", "uid": "second"}
    (row,) = judged(foreign("tag-missing", **owner), second)
    assert (row.service, row.code) == (service, "TagNotFound")


def test_a_replica_set_names_its_deployment() -> None:
    owners = [{"kind": "Deployment", "name": "shown", "controller": True}]
    replica_set = {"kind": "ReplicaSet", "metadata": {"name": "x", "namespace": "shop", "uid": "rs"}}
    replica_set["metadata"]["ownerReferences"] = owners
    (row,) = judged(foreign("tag-missing"), replica_set)
    assert row.service == "shown"


def test_the_main_container_of_others_may_have_any_name() -> None:
    pod = json.loads(json.dumps(foreign("crashed-twice")).replace('"name": "web"', '"name": "app"'))
    sidecar = {"name": "front", "ready": True, "state": {"running": {"startedAt": "2026-01-31T12:00:00Z"}}}
    pod["spec"]["containers"].append({"name": "front"})
    pod["status"]["containerStatuses"].append(sidecar)
    (row,) = judged(pod)
    assert (row.service, row.message) == ("front", "container exited with code 3")


def test_pods_of_jobs_are_no_services() -> None:
    reading = Reading()
    reading.add(foreign("tag-missing", kind="Job"), "test")
    (recording,) = reading.recordings(None)
    (scene,) = scenes_of(recording.frames)
    assert (scene.world.runs, scene.world.groups) == (1, {})


MILL: Final[dict[str, Any]] = {
    "kind": "MillDeployment",
    "metadata": {
        "name": "mill",
        "namespace": "shop",
        "uid": "mill-uid",
        "generation": 1,
        "creationTimestamp": "2026-01-31T12:00:00Z",
    },
    "spec": {
        "services": [{"name": "web", "image": "registry.example/web:1", "port": 80, "env": {"A": "${secret(db.url)}"}}]
    },
}


def test_a_spec_says_what_the_objects_do_not() -> None:
    first, *_ = judged(MILL, recorded("secret-missing"))
    assert (first.message, first.suggestion) == ('secret "db.url" not found', "Set it: mill secret set db.url VALUE")


def test_a_service_of_the_spec_without_pods_is_judged() -> None:
    mill = copy.deepcopy(MILL)
    mill["spec"]["services"].append({"name": "db", "image": "db:1"})
    rows = judged(mill, recorded("tag-missing"))
    assert [(row.service, row.state) for row in rows] == [("web", "Failed"), ("db", "Pending"), ("db", "Failed")]


def with_status(**service: Any) -> dict[str, Any]:
    told = {"name": "web", "state": "Failed", "template": "aaaaaaaaaa", **service}
    rollout = {"id": "1", "startedAt": "2026-01-31T11:59:00Z", "finishedAt": "2026-01-31T12:00:01Z", "success": False}
    return {**MILL, "status": {"observedGeneration": 1, "rollout": rollout, "services": [told]}}


def test_no_verdict_is_taken_from_a_recorded_status() -> None:
    told = with_status(reason="Timeout", rule="timeout", since="2026-01-31T11:59:30Z", message="no progress for 10m")
    assert lines(judged(told, recorded("denied"))) == ["+0 Suspect PullDenied", "+30 Failed PullDenied"]
    denied = with_status(reason="PullDenied", rule="image-denied", since="2026-01-31T11:59:55Z", message="denied")
    assert lines(judged(denied, recorded("command-missing"))) == ["+0 Failed CommandNotFound"]


def test_a_recorded_status_says_since_when_a_cause_was_observed() -> None:
    told = with_status(reason="PullDenied", rule="image-denied", since="2026-01-31T11:59:55Z", message="denied")
    rows = judged(told, recorded("denied"))
    assert lines(rows) == ["+0 Suspect PullDenied", "+24 Failed PullDenied"]
    assert rows[0].message == "image pull failed: access denied"
    ahead = with_status(reason="PullDenied", rule="image-denied", since="2027-01-31T11:59:55Z", message="denied")
    assert lines(judged(ahead, recorded("denied"))) == ["+0 Suspect PullDenied", "+30 Failed PullDenied"]


def test_a_refused_spec_is_noted_and_the_objects_are_judged() -> None:
    reading = Reading()
    reading.add({**MILL, "spec": {"services": [{"name": "web"}]}}, "test")
    reading.add(recorded("tag-missing"), "test")
    (recording,) = reading.recordings(None)
    scenes = scenes_of(recording.frames)
    assert scenes[0].world.notes == [
        "the spec of MillDeployment shop/mill is refused: services.0.image: Field required"
    ]
    assert lines(rows_of(replay(scenes), recording.frames[0].at)) == ["+0 Failed TagNotFound"]


def test_an_object_without_a_name_is_left_out_with_a_note() -> None:
    reading = Reading()
    reading.add({"at": 0, "objects": [recorded("tag-missing"), {"kind": "Pod", "metadata": {}}, 7, None]}, "test")
    (recording,) = reading.recordings(None)
    (scene,) = scenes_of(recording.frames)
    assert scene.world.notes == ["left out Pod without a name: no metadata.name"]
    assert dict(reading.left_out) == {"object without a kind": 2}


@pytest.mark.parametrize("at", ["soon", -1, True, None, [], "400d", 10**12])
def test_a_frame_needs_a_time(at: Any) -> None:
    with pytest.raises(RecordingError, match="at: expected a time"):
        Reading().add({"at": at, "objects": []}, "test")


def test_the_newest_time_is_that_of_something_that_has_happened() -> None:
    pod = recorded("tag-missing", deletionTimestamp="2030-01-01T00:00:00Z")
    pod["spec"]["startTime"] = "2031-01-01T00:00:00Z"
    found = newest_time([pod, {"kind": "Event", "lastTimestamp": "2026-01-31T12:00:07Z"}])
    assert found is not None
    assert (found - BASE).total_seconds() == 7


def test_the_objects_of_all_frames_are_bounded() -> None:
    reading = Reading()
    for _ in range(400):
        reading.add({"kind": "Node", "metadata": {"name": "n"}}, "test")
        reading.add({"at": "2026-01-31T12:00:00Z", "objects": []}, "test")
    assert len(reading.recordings(None)) == 1
    with pytest.raises(RecordingError, match="more than 200 frames of one case"):
        reading.add({"frames": [{"at": at, "where": "event"} for at in range(201)]}, "test")
    for _ in range(1000):
        reading.add({"at": "2026-01-31T12:00:00Z", "objects": []}, "test")
    with pytest.raises(RecordingError, match="more than 200,000 objects"):
        reading.recordings(None)


def _many(count: int) -> list[dict[str, Any]]:
    names = [file.stem for file in sorted(PODS.glob("*.json"))]
    return [
        json.loads(
            json.dumps(recorded(names[number % len(names)], name=f"web-{number}", uid=f"uid-{number}"))
            .replace('"mill.dev/service": "web"', f'"mill.dev/service": "web{number}"')
            .replace('"name": "web"', f'"name": "web{number}"')
        )
        for number in range(count)
    ]


def test_the_number_of_statuses_does_not_grow_with_the_number_of_pods() -> None:
    """Each is made of all services of a MillDeployment, so that their number times this one is the cost."""
    steps = []
    for count in (60, 180):
        reading = Reading()
        reading.add({"kind": "List", "items": _many(count)}, "test")
        (recording,) = reading.recordings(None)
        steps.append(len(list(replay(scenes_of(recording.frames)))))
    assert steps[0] == steps[1] < 60


def test_a_sketch_with_an_unknown_place_is_refused() -> None:
    with pytest.raises(RecordingError, match="where: expected one of claim-event, condition, event"):
        objects_of([{"where": "elsewhere", "text": "x"}])


def test_the_table_shows_each_suggestion_once() -> None:
    shown = list(table(judged(recorded("denied"))))
    assert [line.split()[0] for line in shown] == ["TIME", "2026-01-31T12:00:01Z", "help:", "2026-01-31T12:00:31Z"]
    assert shown[0].split("  ")[0] == "TIME"
    assert "+30s" in shown[1]
