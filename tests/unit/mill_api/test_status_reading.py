"""A status that a newer release wrote, or that was edited by hand, is read as far as possible."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mill_api import crd
from mill_api.events import rollout_events
from mill_api.service_status import Phase, State
from mill_api.status import MillDeploymentStatus
from mill_api.status_reading import read_status
from mill_api.task_status import RunState

AT = "2026-01-31T12:00:00.000Z"
LATER = "2026-01-31T12:00:04.000Z"
METADATA = {"generation": 1}


def whole() -> dict[str, Any]:
    """Return a status with every field."""
    return {
        "observedGeneration": 1,
        "rollout": {"id": "1", "startedAt": AT, "finishedAt": LATER, "success": False},
        "healthy": "0/1",
        "services": [
            {
                "name": "web",
                "state": "Failed",
                "replicas": {"desired": 2, "updated": 2, "healthy": 0},
                "movedAt": AT,
                "since": AT,
                "transitions": [
                    {"seq": 1, "at": AT, "phase": "scheduled", "node": "node-1"},
                    {"seq": 2, "at": LATER, "phase": "failed", "code": "TagNotFound", "message": "tag not found"},
                ],
            }
        ],
        "activeRuns": 1,
        "tasks": [{"name": "job", "runs": [{"name": "job-1", "state": "Running", "createdAt": AT, "startedAt": AT}]}],
        "history": [{"id": "0", "startedAt": AT, "finishedAt": AT, "success": True, "failed": []}],
        "warnings": [{"service": "web", "code": "SpecWarning", "message": "service.web.image: no"}],
        "conditions": [
            {
                "type": "Ready",
                "status": "False",
                "reason": "TagNotFound",
                "message": "no",
                "observedGeneration": 1,
                "lastTransitionTime": "2026-01-31T12:00:00Z",
            }
        ],
    }


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the whole status with something else at one place, such as `services.0.state`; `...` removes it."""
    status = whole()
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    holder: Any = status
    for part in way:
        holder = holder[part]
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return status


def test_a_status_of_this_release_is_read_whole() -> None:
    assert read_status(whole()) == MillDeploymentStatus.model_validate(whole())


@pytest.mark.parametrize("kind", [State, Phase, RunState])
def test_a_word_of_a_newer_release_is_kept_as_it_is(kind: type[State | Phase | RunState]) -> None:
    word = kind("Hibernating")
    assert (word, str(word), f"{word}", word.value, word.known) == (
        "Hibernating", "Hibernating", "Hibernating", "Hibernating", False,
    )  # fmt: skip
    assert word not in list(kind)
    assert all(kind(each).known and kind(each) is each for each in kind)
    assert not getattr(word, "settled", False)
    with pytest.raises(ValueError, match="5 is not a valid"):
        kind(5)


@pytest.mark.parametrize(
    "path",
    [
        "services.0.state",
        "services.0.transitions.0.phase",
        "services.0.transitions.1.phase",
        "tasks.0.runs.0.state",
        "conditions.0.type",
        "conditions.0.status",
        "conditions.0.reason",
        "services.0.reason",
        "services.0.rule",
        "warnings.0.code",
    ],
)
def test_an_unknown_word_anywhere_changes_nothing_else(path: str) -> None:
    stored = changed(path, "Hibernating")
    written = read_status(stored).model_dump(mode="json", by_alias=True, exclude_none=True)
    expected = MillDeploymentStatus.model_validate(whole()).model_dump(mode="json", by_alias=True, exclude_none=True)
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    holder: Any = expected
    for part in way:
        holder = holder[part]
    holder[last] = "Hibernating"
    assert written == expected


ODD = [None, "", "nonsense", -5, 3.5, 10**30, True, [], ["x"], {}, {"a": 1}, [None], [{}]]


def _paths(value: Any, path: str = "") -> list[str]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [path] if path else []
    for name, each in inner:
        found += _paths(each, f"{path}.{name}" if path else str(name))
    return found


@pytest.mark.parametrize("path", _paths(whole()))
@pytest.mark.parametrize("value", [..., *ODD], ids=repr)
def test_one_odd_field_removes_no_more_than_its_object(path: str, value: Any) -> None:
    """The other services remain, and the end of a stream does."""
    stored = changed(path, value)
    kept = copy.deepcopy(stored)
    status = read_status(stored)
    assert stored == kept, "what was stored is not changed"
    assert MillDeploymentStatus.model_validate(status.model_dump(mode="json", by_alias=True)) == status
    if not path.startswith("services"):
        assert [each.name for each in status.services] == ["web"]
    if not path.startswith("rollout"):
        assert status.rollout is not None
        events = rollout_events("0123456789", "1", METADATA, status, full=True)
        assert [each.name for each in events][-1] == "done"
        assert [each.seq for each in events] == sorted(each.seq for each in events)
    for rollout in ("0", "1", "2"):
        for event in rollout_events("0123456789", rollout, METADATA, status):
            event.encode()


@pytest.mark.parametrize("stored", [None, [], "nonsense", 5, {}, {"services": {}}, {"rollout": []}, [[]]])
def test_an_unreadable_status_counts_as_empty(stored: Any) -> None:
    assert read_status(stored) == MillDeploymentStatus()


def test_only_the_odd_elements_of_a_list_are_left_out() -> None:
    stored = whole()
    stored["services"] = [{"state": "Failed"}, {"name": "a"}, 7, {"name": "b", "transitions": [7, *_steps("x", AT)]}]
    status = read_status(stored)
    assert [each.name for each in status.services] == ["a", "b"]
    assert [each.phase for each in status.services[1].transitions] == ["x"]


@pytest.mark.parametrize(
    "text", ["soon", "2026-01-31T12:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "2026-01-31"]
)
def test_a_time_outside_of_the_valid_years_is_left_out(text: str) -> None:
    status = read_status(changed("services.0.movedAt", text))
    assert status.services[0].moved_at is None
    assert read_status(changed("rollout.finishedAt", text)).rollout.finished_at is None  # type: ignore[union-attr]


def test_a_position_after_the_last_event_is_left_out() -> None:
    """A stream would end at it."""
    for path in ("services.0.transitions.0.seq", "services.0.transitions.1.seq"):
        status = read_status(changed(path, 2_000_000))
        assert len(status.services[0].transitions) == 1


def test_a_past_rollout_with_an_unknown_id_ends_no_stream() -> None:
    stored = changed("history.0.id", "blue/7")
    stored["rollout"]["id"] = "green/8"
    stored["history"] = stored["history"] * 5
    status = read_status(stored)
    for rollout in ("0", "1", "2"):
        rollout_events("0123456789", rollout, {"generation": 3}, status)
    events = rollout_events("0123456789", "green/8", {"generation": 3}, status)
    assert events[-1].name == "done"


def _steps(phase: str, at: str) -> list[dict[str, Any]]:
    return [{"seq": 1, "at": at, "phase": phase}]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | st.just(AT),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(whole())), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(_paths(whole())), _JSON, st.sampled_from(_paths(whole())), _JSON)
def test_no_stored_status_raises_an_error(path: str, value: Any, other: str, another: Any) -> None:
    stored = changed(path, value)
    try:
        *way, last = [int(part) if part.isdigit() else part for part in other.split(".")]
        holder: Any = stored
        for part in way:
            holder = holder[part]
        holder[last] = another
    except (KeyError, IndexError, TypeError):
        pass  # the first change took that place away
    assert isinstance(read_status(stored), MillDeploymentStatus)


def test_the_schema_of_the_status_lists_no_words() -> None:
    """An API server that has an older release's schema keeps what a newer one writes, and the other way round."""

    def enums(schema: Any) -> list[Any]:
        if isinstance(schema, dict):
            return [
                *(["enum"] if "enum" in schema else []),
                *(found for each in schema.values() for found in enums(each)),
            ]
        return [found for each in schema for found in enums(each)] if isinstance(schema, list) else []

    schema = crd.structural(MillDeploymentStatus, defaults=False)
    assert enums(schema) == []
    service = schema["properties"]["services"]["items"]["properties"]
    assert service["state"]["type"] == "string"
    assert all(each.value in service["state"]["description"] for each in State)
