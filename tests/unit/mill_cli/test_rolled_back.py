"""Words of a gateway or an operator of another release are shown unchanged, and end no command."""

from typing import Any

import pytest

from mill_cli.history import read_rollouts
from mill_cli.output.columns import rollout_columns
from mill_cli.output.lines import DEPLOY, LineOrderer, line
from mill_cli.output.overview import overview
from mill_cli.output.rows import Rows

WORD = "Hibernating"
WEB = {"name": "web", "image": "web:1", "replicas": {"desired": 1, "healthy": 0}, "state": WORD, "message": None}
ODD: list[Any] = [None, "nonsense", -5, 3.5, [], {}, [None], [{}], {"a": 1}]


def shown(*services: Any, **cluster: Any) -> str:
    return overview({"cluster": cluster, "services": list(services), "tasks": [], "nodes": []}, None, 80)


@pytest.mark.parametrize(
    ("service", "said"),
    [
        (WEB, " web: Hibernating"),
        (WEB | {"message": "it sleeps"}, " web: Hibernating: it sleeps"),
        (WEB | {"reason": "Winter"}, " web: Hibernating: Winter"),
        (WEB | {"state": "Failed", "message": "it fell"}, " web: failed: it fell"),
        (
            WEB | {"state": "Failed", "message": "it fell", "detail": "image web:9"},
            " web: failed: it fell (image web:9)",
        ),
    ],
)
def test_an_unknown_state_is_shown_as_it_stands(service: Any, said: str) -> None:
    assert said in shown(service).partition("PROBLEMS")[2]


@pytest.mark.parametrize("state", ["Pending", "Pulling", "Starting", "Healthy", "Stopping", "Stopped", None])
def test_a_known_state_has_no_note(state: str | None) -> None:
    assert "PROBLEMS" not in shown(WEB | {"state": state})


def test_warnings_have_a_section() -> None:
    warning = {"deployment": "mill", "service": "web", "code": "SpecWarning", "message": "service.web.image: no"}
    section = shown(WEB, warnings=[warning]).partition("WARNINGS")[2]
    assert "mill        service.web.image: no" in section
    assert "WARNINGS" not in shown(WEB)


def test_a_service_in_an_unknown_state_has_no_verdict() -> None:
    rows = Rows(["web", "api"])
    rows.apply("progress", {"service": "web", "phase": "thawing", "message": None}, 0.0)
    rows.observe([WEB], 0.0)
    (row,) = rows.shown
    assert (row.judged, row.kind, row.text, row.desired) == (False, "starting", "thawing", 1)
    assert line("progress", {"service": "web", "phase": "thawing"}, 3) == "  web: thawing"
    orderer = LineOrderer(["web", "api"], DEPLOY)
    assert orderer.push("progress", {"service": "web", "phase": "thawing"}, 0.0) == ["  web: thawing"]
    assert orderer.push("progress", {"service": "api", "phase": "healthy"}, 0.0) == [], "web is waited for"
    assert orderer.push("done", {"success": True}, 1.0) == ["  api: healthy", "  deployed"]


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_malformed_events_end_no_display(value: Any) -> None:
    rows = Rows(["web"])
    for event in ("progress", "failed"):
        rows.apply(event, {"service": "web", "phase": value, "elapsed": value, "reason": value, "detail": value}, 0.0)
    rows.apply("progress", {"service": value, "phase": value}, 0.0)
    assert [(row.name, row.kind) for row in rows.shown][:1] == [("web", "failed")]


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_malformed_replica_counts_are_ignored(value: Any) -> None:
    rows = Rows(["web"])
    rows.observe([{"name": "web", "state": "Pending", "replicas": value}, {"name": value, "state": value}, value], 0.0)
    rows.observe([{"name": "web", "replicas": {"healthy": value, "desired": value}}], 0.0)
    assert [(row.healthy, row.desired) for row in rows.shown] == [(0, 0)]


ROLLOUT = {"id": "2", "startedAt": "2026-01-31T12:00:00Z", "finishedAt": "2026-01-31T12:00:04Z", "success": False}
PAST = {"id": "1", "startedAt": "2026-01-31T11:00:00Z", "finishedAt": "2026-01-31T11:00:01Z", "success": True}


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize("field", ["rollout", "services", "history", "conditions"])
def test_an_odd_status_ends_no_list_of_rollouts(field: str, value: Any) -> None:
    status = {"rollout": ROLLOUT, "services": [WEB], "history": [PAST], field: value}
    found = read_rollouts({"status": status})
    assert {each["id"] for each in found} >= ({"1"} if field == "rollout" else set())
    rollout_columns(None).show(found, 80)
    for name in ROLLOUT:
        rollout_columns(None).show(
            read_rollouts({"status": {"rollout": ROLLOUT | {name: value}, "history": [PAST | {name: value}]}})
        )
    assert read_rollouts({"status": value}) == []


def test_a_rollout_that_could_not_be_judged_says_so() -> None:
    error = "internal error of mill (ValueError, id 0123456789)"
    failed = {"name": "web", "state": "Failed", "message": "from before"}
    (told,) = read_rollouts({"status": {"rollout": ROLLOUT | {"error": error}, "services": [failed]}})
    assert told["result"] == f"failed: {error}"
