"""`mill-operator judge`: its arguments, and what it prints."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import yaml

from mill_objects import fields
from mill_objects.json import Json
from mill_objects.key import Key
from mill_objects.printable import one_line
from mill_operator.core import limits, timestamps
from mill_operator.recordings.errors import RecordingError
from mill_operator.recordings.files import STANDARD_INPUT, read_recordings, read_spec
from mill_operator.recordings.foreign import is_controller
from mill_operator.recordings.frames import Reading, Recording
from mill_operator.recordings.replay import Scene, replay, scenes_of
from mill_operator.recordings.report import Row, as_json, rows_of, table
from mill_operator.recordings.strip import stripped
from mill_operator.recordings.times import read_duration
from mill_operator.recordings.world import World

PROGRAM: Final = "mill-operator judge"
USAGE_ERROR: Final = 2
NOTES: Final = 20
"""Notes that are printed."""

ABOUT: Final = """\
Judge recorded objects as the operator would, and print what would be said of each service, and when. No cluster is
needed.

FILE has objects as kubectl prints them, as YAML or JSON: lists of pods, events, Deployments, ReplicaSets, claims, nodes
and MillDeployments. FILE may also be a folder, or - for standard input. Objects with `at:` exist from that time on:

  at: 2026-01-31T12:00:00Z        or seconds after the creation of the first pod
  objects: [...]

Pods that are not Mill's are judged as one service for each controller.
"""
TIMES: Final = """\
A recording is mostly made later than the events happened. The times are in the objects, so objects without `at:` are
judged at the newest time that they contain, or at --at TIME. From there on time passes, with the objects as they are,
until every service has a verdict.
"""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of the command."""

    files: Sequence[str]
    spec: str | None
    at: datetime | None
    until: timedelta | None
    as_json: bool
    strip: bool


def run(arguments: Sequence[str]) -> int:
    """Run the command; return its exit code: 2 if there is nothing that can be judged."""
    given = _arguments(arguments)
    try:
        lines = _stripped(given) if given.strip else _judged(given)
        for line in lines:
            print(line)
        sys.stdout.flush()
    except RecordingError as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE_ERROR
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _judged(given: Arguments) -> Iterator[str]:
    reading = read_recordings(given.files)
    spec = None if given.spec is None else read_spec(given.spec)
    rows: list[Row] = []
    notes: list[str] = []
    for recording in _recordings(reading, given):
        scenes = scenes_of(recording.frames)
        steps = replay(scenes, given.until, _specs(scenes, spec))
        said = rows_of(steps, scenes[0].at, recording.name)
        rows += said
        notes += [*_notes(scenes), *_other_status(scenes[-1].world, said)]
    notes = [*_notes_of(reading), *dict.fromkeys(notes), *_without_verdict(rows)]
    if not rows:
        _print_notes(notes)
        raise RecordingError("no pods and no Deployments: record them by `kubectl get pods,deployments -o yaml`")
    if given.as_json:
        yield json.dumps(as_json(rows, notes), indent=2)
        return
    yield from table(rows)
    _print_notes(notes)


def _stripped(given: Arguments) -> Iterator[str]:
    reading = read_recordings(given.files)
    documents: list[Json] = []
    for recording in _recordings(reading, given):
        if recording.name:
            raise RecordingError("--strip: a case has no objects: give it as it is")
        for frame in recording.frames:
            objects = [kept for each in frame.objects if (kept := stripped(each)) is not None]
            documents.append({"at": timestamps.render(frame.at), "objects": objects})
    dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    yield yaml.dump_all(documents, Dumper=dumper, sort_keys=False, allow_unicode=True, width=120).rstrip()
    _print_notes(_notes_of(reading))


def _recordings(reading: Reading, given: Arguments) -> list[Recording]:
    found = reading.recordings(given.at)
    if not found:
        left_out = f" (only {reading.left_out_kinds})" if reading.left_out else ""
        raise RecordingError(f"nothing to judge in {_shown(given.files)}{left_out}")
    return found


def _shown(files: Sequence[str]) -> str:
    return ", ".join(
        "standard input" if each == STANDARD_INPUT else one_line(each, limits.TEXT_BYTES) for each in files
    )


def _specs(scenes: Sequence[Scene], spec: Json | None) -> dict[Key, Json]:
    """Return the spec that was given, by the MillDeployment that it is of."""
    if spec is None:
        return {}
    keys = dict.fromkeys(key for scene in scenes for key in scene.world.groups if not is_controller(key.name))
    if len(keys) != 1:
        listed = ", ".join(sorted(_line(str(key)) for key in keys)[:5]) or "none"
        raise RecordingError(f"--spec: expected objects of one MillDeployment, got {len(keys)}: {listed}")
    return dict.fromkeys(keys, spec)


def _notes_of(reading: Reading) -> list[str]:
    return [*reading.notes, *([f"left out {reading.left_out_kinds}"] if reading.left_out else [])]


def _notes(scenes: Sequence[Scene]) -> Iterator[str]:
    for scene in scenes:
        yield from scene.world.notes
    if runs := max(scene.world.runs for scene in scenes):
        yield f"left out {runs:,} {'pod' if runs == 1 else 'pods'} of tasks and Jobs"
    if services := {name for scene in scenes for name in scene.world.foreign}:
        shown = ", ".join(one_line(each, limits.NAME_BYTES) for each in sorted(services)[:5])
        more = f" and {len(services) - 5:,} more" if len(services) > 5 else ""
        yield f"not of a MillDeployment, judged as one service for each controller: {shown}{more}"


def _other_status(world: World, rows: Sequence[Row]) -> Iterator[str]:
    """Yield the services of which the recorded status says something that is never said here."""
    said = {(each.namespace, each.service, each.state, each.code or "") for each in rows}
    for key, group in world.groups.items():
        for service in fields.mappings(group.resource.status if group.resource else {}, "services"):
            name, state, code = (_line(fields.text(service, part)) for part in ("name", "state", "reason"))
            if (_line(key.namespace), name, state, code) not in said:
                shown = f"{state} ({code})" if code else state
                yield f"{_line(key.namespace)}/{name}: the recorded status says {shown}"


def _without_verdict(rows: Sequence[Row]) -> Iterator[str]:
    last = {(each.namespace, each.service): each for each in rows}
    for (namespace, service), row in last.items():
        if row.state not in ("Healthy", "Failed", "Stopped"):
            yield f"{namespace}/{service} has no verdict: {row.state} until the end"


def _line(text: str) -> str:
    return one_line(text, limits.NAME_BYTES)


def _print_notes(notes: Sequence[str]) -> None:
    for each in notes[:NOTES]:
        print(f"note: {each}", file=sys.stderr)
    if len(notes) > NOTES:
        print(f"note: {len(notes) - NOTES:,} more notes: see --json", file=sys.stderr)


def _arguments(arguments: Sequence[str]) -> Arguments:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description=ABOUT,
        epilog=TIMES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="Recording: a file, a folder, or - for standard input."
    )
    parser.add_argument("--spec", metavar="FILE", help="Take the spec from this .mill file, or MillDeployment as YAML.")
    parser.add_argument("--at", metavar="TIME", type=_time, help="Time of objects without `at:`, such as "
                        "2026-01-31T12:00:00Z. The default is the newest time that they contain.")  # fmt: skip
    parser.add_argument("--until", metavar="DURATION", type=_duration, help="Time after the last frame until which to "
                        "judge, such as 90s. The default is until every service has a verdict, or 15m.")  # fmt: skip
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", dest="as_json", help="Print JSON, with evidence.")
    form.add_argument("--strip", action="store_true", help="Judge nothing: print a recording with only what a verdict "
                      "needs, without environments and commands, and with texts redacted.")  # fmt: skip
    return Arguments(**vars(parser.parse_args(arguments)))


def _time(text: str) -> datetime:
    found = fields.moment(text)
    if found is None:
        raise argparse.ArgumentTypeError("expected a time such as 2026-01-31T12:00:00Z")
    return found


def _duration(text: str) -> timedelta:
    found = read_duration(text)
    if found is None:
        raise argparse.ArgumentTypeError("expected a duration of at most 7 days, such as 90s or 15m")
    return found
