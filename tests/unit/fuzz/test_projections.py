"""A foreign object of any shape is projected, or left out by the one known error."""

import json
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mill_objects.fields import Unreadable
from tests.fuzz.mutations import mutated
from tests.fuzz.projections import PROJECTIONS, Projection, run

COUNT = 1000
"""Objects of each kind: a slice of what `make fuzz` reads."""

each_projection = pytest.mark.parametrize("projection", PROJECTIONS, ids=[each.name for each in PROJECTIONS])
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=8), parts, max_size=3),
    max_leaves=8,
)


@each_projection
def test_a_good_object_is_read(projection: Projection) -> None:
    projection.project(projection.body)


@each_projection
def test_an_odd_object_is_read_or_left_out(projection: Projection) -> None:
    assert run(projection, seed=1, count=COUNT) > COUNT // 3  # most are still what they were


@each_projection
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_no_field_is_needed_to_be_of_its_type(projection: Projection, data: st.DataObject) -> None:
    body: Any = json.loads(json.dumps(projection.body))
    for _ in range(data.draw(st.integers(1, 3))):
        part = body
        while True:
            keys = sorted(part) if isinstance(part, dict) else range(len(part))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if isinstance(part[key], dict | list) and part[key] and data.draw(st.booleans()):
                part = part[key]
                continue
            part[key] = data.draw(anything)
            break
    with suppress(Unreadable):
        projection.project(body)


def test_mutations_are_the_same_everywhere_and_leave_the_good_object_alone() -> None:
    body = PROJECTIONS[1].body
    before = json.dumps(body)
    first, second = ([repr(mutated(rng, body)) for _ in range(200)] for rng in (Random(7), Random(7)))
    assert first == second
    assert len(set(first)) > 190
    assert json.dumps(body) == before


def test_a_failure_is_reported_with_its_seed() -> None:
    def broken(_: object) -> None:
        raise KeyError("x")

    with pytest.raises(KeyError) as raised:
        run(Projection("broken", broken, {"a": 1}), seed=5, count=1)
    assert "broken, seed 5, object 0" in raised.value.__notes__[0]
