"""Recordings, on their way to what `mill-operator judge` prints: whatever is in a file, it is judged, or refused."""

import contextlib
import json
import random
from datetime import timedelta
from typing import Any, Final

from mill_objects.json import Json
from mill_operator.recordings.documents import read_documents
from mill_operator.recordings.errors import RecordingError
from mill_operator.recordings.frames import Reading
from mill_operator.recordings.replay import replay, scenes_of
from mill_operator.recordings.report import as_json, rows_of, table
from mill_operator.recordings.strip import stripped
from tests.fuzz import samples
from tests.fuzz.mutations import mutated
from tests.fuzz.target import Target
from tests.fuzz.texts import text

_FOREIGN: Final = {**samples.POD, "metadata": samples.metadata("front-1", labels={"pod-template-hash": "1"})}
_OBJECTS: Final[tuple[Json, ...]] = (
    {"kind": "Pod", **samples.POD},
    {"kind": "Pod", **_FOREIGN},
    {"kind": "Deployment", **samples.CHILDREN["Deployment"]},
    {"kind": "ReplicaSet", **samples.REPLICA_SET},
    {"kind": "PersistentVolumeClaim", **samples.CLAIM},
    {"kind": "Node", **samples.NODE},
    {"kind": "MillDeployment", **samples.MILL_DEPLOYMENT},
    *({"kind": "Event", **each} for each in samples.EVENTS["items"]),
)
_SKETCH: Final[Json] = {
    "id": "case",
    "frames": [
        {"at": 3, "where": "waiting.message", "kubernetes_reason": "ErrImagePull", "text": "not found"},
        {"at": 9, "where": "terminated.message", "ended": {"exitCode": 1}, "text": "no", "twice": True},
        {"at": 12, "where": "pod-status", "kubernetes_reason": "OutOfcpu", "text": "no cpu", "pods": 2},
        {"at": 20, "pod": "ready"},
    ],
}


def _recording(rng: random.Random) -> Json:
    count = rng.randint(1, 3)
    objects = [mutated(rng, each) if rng.random() < 0.5 else each for each in rng.sample(_OBJECTS, count)]
    frame: Json = {"at": samples.AT, "objects": objects}
    whole = rng.choice((frame, {"kind": "List", "items": objects}, {"frames": [frame, {**frame, "at": 5}]}, _SKETCH))
    return mutated(rng, whole) if rng.random() < 0.5 else whole


def judged(data: bytes) -> None:
    """Whatever a recording contains, all of it is judged and printed, or an error says what is wrong."""
    with contextlib.suppress(RecordingError):
        reading = Reading()
        for document in read_documents(data, "file"):
            reading.add(document, "file")
        for recording in reading.recordings(None):
            scenes = scenes_of(recording.frames)
            rows = rows_of(replay(scenes, timedelta(seconds=60)), scenes[0].at, recording.name)
            _printable("\n".join(table(rows)))
            json.dumps(as_json(rows, reading.notes))
            json.dumps([stripped(each) for frame in recording.frames for each in frame.objects])


def _printable(shown: str) -> None:
    assert all(each.isprintable() or each in "\t\n" for each in shown)
    shown.encode()


def _file(rng: random.Random) -> Any:
    if rng.random() < 0.1:
        return text(
            rng, ("{", "}", "[", "]", ": ", "- ", "\n", "a", "'", "&a ", "*a", "at", "objects", "%"), most=30
        ).encode("utf-8", "replace")
    return json.dumps(_recording(rng), default=str).encode()


TARGETS: Final = (Target("recordings", _file, judged, seconds=4.0),)
