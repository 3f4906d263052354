"""Texts and sequences from public bug reports, judged as `mill-operator judge` judges them.

The data is in `tests/unit/mill_operator/outside_cases/`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from mill_operator.core.verdicts.lookup_requests import SILENCE
from mill_operator.core.verdicts.observation import Observation
from mill_operator.recordings.frames import Frame, Reading, Recording
from mill_operator.recordings.replay import Step, replay, scenes_of
from mill_operator.recordings.sketches import BASE

Case = Mapping[str, Any]

FOLDER: Final = Path(__file__).parents[1] / "unit" / "mill_operator" / "outside_cases"


def read(name: str) -> list[dict[str, Any]]:
    """Return the cases of one file."""
    cases: list[dict[str, Any]] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return cases


def recording(case: Case) -> Recording:
    """Return the recording that a case is."""
    reading = Reading()
    reading.add(case, "case")
    (made,) = reading.recordings(None)
    return made


def observe(case: Case) -> Observation:
    """Return what is observed, after the first lookups, of a service about which a cluster reports a text."""
    *_, last = replay(scenes_of(recording(case).frames), until=SILENCE)
    return _observation(last)


def observe_each_second(frames: Sequence[Case], until: int) -> Iterator[tuple[int, Observation]]:
    """Judge a service second by second."""
    known = recording({"frames": list(frames)}).frames
    first = round((known[0].at - BASE).total_seconds())
    scenes = scenes_of([_at_second(known, second) for second in range(first, until + 1)])
    for step in replay(scenes, until=timedelta(0)):
        yield round((step.at - BASE).total_seconds()), _observation(step)


def _at_second(frames: Sequence[Frame], second: int) -> Frame:
    now = BASE + timedelta(seconds=second)
    return replace([each for each in frames if each.at <= now][-1], at=now)


def _observation(step: Step) -> Observation:
    (observation,) = step.observations.services
    return observation
