"""Documents → recordings: the objects that existed from each moment on.

A recording is one list of objects, or several with `at:`. What stands without `at:` exists in all frames. Cases
(`where:`, `text:`, `frames:`) are recordings of their own, whose objects are made by `sketches`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from mill_objects import fields
from mill_objects.json import JsonView
from mill_objects.printable import one_line
from mill_operator.recordings.errors import RecordingError
from mill_operator.recordings.sketches import BASE, REPORTED, is_sketch, objects_of
from mill_operator.recordings.times import newest_time, read_at

KINDS: Final = ("Pod", "Event", "Deployment", "ReplicaSet", "PersistentVolumeClaim", "Node", "MillDeployment")
"""The kinds that a verdict is made of."""
EXPECTED: Final = "expected"
"""Key of a document that says what a test expects of the others. Nothing is judged by it."""
MAX_FRAMES: Final = 10_000
"""Frames of a recording."""
MAX_OBJECTS: Final = 200_000
"""Objects of all frames of a recording: one without `at:` counts in each of them."""
MAX_NOTES: Final = 100
MAX_SKETCHES: Final = 200
"""Frames of a case. The events of all earlier ones are in each."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The objects that exist from a moment on."""

    at: datetime
    objects: tuple[JsonView, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """Frames, oldest first."""

    name: str
    """The case; empty for the recording of a cluster."""
    frames: tuple[Frame, ...]


@dataclass(slots=True)
class Reading:
    """Everything that was read, of all files."""

    standing: list[JsonView] = field(default_factory=list)
    """Objects without `at:`."""
    frames: list[tuple[datetime | timedelta, list[JsonView]]] = field(default_factory=list)
    cases: list[Recording] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was left out."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Objects of kinds that a verdict needs nothing of, by kind."""

    def add(self, document: Any, place: str) -> None:
        """Add a document. Raise `RecordingError`."""
        if isinstance(document, list):
            for each in document:
                self.add(each, place)
        elif isinstance(document, dict):
            self._add_mapping(document, place)
        elif document is not None:
            self._note_unknown(place)

    def _add_mapping(self, document: JsonView, place: str) -> None:
        if is_sketch(document):
            self._add_case(document, place)
        elif EXPECTED in document and "kind" not in document:
            return  # of a test
        elif "at" in document and "objects" in document:
            self._add_frame(document, place)
        elif isinstance(document.get("frames"), list):
            for each in document["frames"]:
                self.add(each, place)
        elif "kind" in document:
            self.standing += self._objects(document)
        elif cases := [each for name in document for each in fields.mappings(document, name) if is_sketch(each)]:
            for each in cases:
                self._add_case(each, place)
        else:
            self._note_unknown(place)

    def _note_unknown(self, place: str) -> None:
        if len(self.notes) < MAX_NOTES:
            self.notes.append(f"{place}: left out a document that is no Kubernetes object")

    def _add_frame(self, document: JsonView, place: str) -> None:
        at = read_at(document["at"])
        if at is None:
            raise RecordingError(f"{place}: at: expected a time, or seconds after the first creation")
        if len(self.frames) >= MAX_FRAMES:
            raise RecordingError(f"{place}: more than {MAX_FRAMES:,} frames")
        self.frames.append((at, list(self._objects(document["objects"]))))

    def _add_case(self, document: JsonView, place: str) -> None:
        name = one_line(fields.text(document, "id"), 100) or f"case-{len(self.cases) + 1}"
        frames = fields.mappings(document, "frames") or [{"at": REPORTED, **document}]
        if len(frames) > MAX_SKETCHES:
            raise RecordingError(f"{place}: {name}: more than {MAX_SKETCHES} frames of one case")
        self.cases.append(Recording(name, tuple(_sketched(frames, f"{place}: {name}"))))

    def _objects(self, value: Any) -> Iterator[JsonView]:
        """Yield the objects of a list, also of lists in lists; count the kinds that are left out."""
        waiting = [value]
        while waiting:
            each = waiting.pop()
            if isinstance(each, list):
                waiting += reversed(each)
                continue
            kind = fields.text(each, "kind")
            if kind.endswith("List") and isinstance(items := each.get("items"), list):
                waiting += [_with_kind(item, kind.removesuffix("List")) for item in reversed(items)]
            elif kind in KINDS:
                yield each
            else:
                self.left_out[one_line(kind, 60) or "object without a kind"] += 1

    @property
    def left_out_kinds(self) -> str:
        """What `left_out` counts, as in `2 Secret, 1 Service`."""
        return ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.left_out.items()))

    def recordings(self, at: datetime | None) -> list[Recording]:
        """Return what is to be judged: the cases, and the recording of a cluster if there is one.

        `at` is the time of objects without `at:`; None for the newest time that they contain. Raise `RecordingError`.
        """
        made = [*self.cases]
        if self.frames:
            first = _first_creation([*self.standing, *(each for _, objects in self.frames for each in objects)])
            timed = [
                (when if isinstance(when, datetime) else _after(first, when), objects) for when, objects in self.frames
            ]
            timed.sort(key=lambda each: each[0])
            if sum(len(self.standing) + len(objects) for _, objects in timed) > MAX_OBJECTS:
                raise RecordingError(f"more than {MAX_OBJECTS:,} objects in all frames: record fewer of them")
            made.append(Recording("", tuple(Frame(when, (*self.standing, *objects)) for when, objects in timed)))
        elif self.standing:
            when = at or newest_time(self.standing)
            if when is None:
                raise RecordingError("the objects contain no time: give one by --at")
            made.append(Recording("", (Frame(when, tuple(self.standing)),)))
        return [replace(each, frames=_without_repetitions(each.frames)) for each in made]


def _sketched(frames: Sequence[JsonView], place: str) -> Iterator[Frame]:
    timed: list[tuple[timedelta, JsonView]] = []
    for each in frames:
        at = read_at(each.get("at", 0))
        if not isinstance(at, timedelta):
            raise RecordingError(f"{place}: at: expected seconds, counted from the creation of the pods")
        timed.append((at, each))
    timed.sort(key=lambda each: each[0])
    for number, (at, _) in enumerate(timed, start=1):
        try:
            yield Frame(BASE + at, tuple(objects_of([each for _, each in timed[:number]])))
        except RecordingError as error:
            raise RecordingError(f"{place}: {error}") from None


def _with_kind(item: Any, kind: str) -> Any:
    return {"kind": kind, **item} if isinstance(item, dict) and kind else item


def _first_creation(objects: Iterable[JsonView]) -> datetime | None:
    created = (fields.time(fields.mapping(each, "metadata"), "creationTimestamp") for each in objects if _is_pod(each))
    return min((each for each in created if each is not None), default=None)


def _is_pod(body: JsonView) -> bool:
    return body.get("kind") == "Pod"


def _after(first: datetime | None, span: timedelta) -> datetime:
    if first is None:
        raise RecordingError("at: the frames contain no pod whose creation their seconds count from: write times")
    return first + span


def _without_repetitions(frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
    """Return frames in which each object exists once: of several versions, the one that was read last."""
    return tuple(Frame(each.at, tuple(_by_identity(each.objects).values())) for each in frames)


def _by_identity(objects: Iterable[JsonView]) -> Mapping[tuple[str, str, str], JsonView]:
    found: dict[tuple[str, str, str], JsonView] = {}
    for each in objects:
        meta = fields.mapping(each, "metadata")
        found[fields.text(each, "kind"), fields.text(meta, "namespace"), fields.text(meta, "name")] = each
    return found
