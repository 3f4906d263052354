"""A status of a newer release is shown unchanged, and an odd status stops no list and no stream."""

from typing import Any

import pytest

from mill_gateway.core.deployments import WARNINGS_SHOWN
from tests.support.gateway.objects import job, mill_deployment, pod
from tests.support.gateway.served import Serve

WORD = "Hibernating"
AT, LATER = "2026-02-14T10:00:00.000Z", "2026-02-14T10:00:04.000Z"
WEB = {"name": "web", "image": "registry/web:1", "port": 8080}
WARNING = {"service": "web", "code": "SpecWarning", "message": "service.web.image: no longer taken"}


def status(**more: Any) -> dict[str, Any]:
    return {
        "observedGeneration": 1,
        "rollout": {"id": "1", "startedAt": AT, "finishedAt": LATER, "success": True},
        "services": [
            {
                "name": "web",
                "state": WORD,
                "message": "it sleeps",
                "replicas": {"desired": 1, "updated": 1, "healthy": 0},
                "transitions": [
                    {"seq": 1, "at": AT, "phase": "thawing", "message": "a while"},
                    {"seq": 2, "at": LATER, "phase": "healthy"},
                ],
            }
        ],
        "tasks": [{"name": "migrate", "runs": [{"name": "migrate-1", "state": WORD, "createdAt": AT}]}],
        "conditions": [
            {
                "type": kind,
                "status": "Perhaps",
                "reason": WORD,
                "message": "it sleeps",
                "observedGeneration": 1,
                "lastTransitionTime": AT,
            }
            for kind in ("Ready", WORD)
        ],
        **more,
    }


def of(value: dict[str, Any], name: str = "mill") -> dict[str, Any]:
    return mill_deployment(WEB, name=name, status=value)


async def test_a_service_is_shown_in_its_unknown_state(serve: Serve) -> None:
    async with serve(of(status()), pod("web", ready=False)) as served:
        (service,) = (await served.http.get("/v1/services")).json()
        assert (service["state"], service["message"], service["replicas"]) == (
            WORD,
            "it sleeps",
            {"desired": 1, "healthy": 0, "serving": 0},
        )
        assert [each["status"] for each in service["allocations"]] == ["running"]


async def test_a_deployment_is_shown_with_unknown_states(serve: Serve) -> None:
    async with serve(of(status())) as served:
        (shown,) = (await served.http.get("/v1/deployments")).json()
        assert (shown["services"][0]["state"], shown["ready"], shown["message"]) == (WORD, False, "it sleeps")
        detail = (await served.http.get("/v1/deployments/mill")).json()
        assert detail["status"] == status()


@pytest.mark.parametrize("full", [False, True])
async def test_a_stream_with_unknown_phases_ends(serve: Serve, *, full: bool) -> None:
    async with serve(of(status())) as served:
        query = {"detail": "full"} if full else {}
        text = (await served.http.get("/v1/deployments/mill/events", params=query)).text
        assert ('"phase": "thawing"' in text) is full
        assert 'event: done\r\ndata: {"elapsed": 4.0, "success": true}' in text


@pytest.mark.parametrize(
    ("run", "objects", "shown"),
    [
        ({}, [], "starting"),
        ({"finishedAt": LATER}, [], "stopped"),
        ({"startedAt": AT}, [pod("migrate", kind="task", run="migrate-1")], "running"),
        ({}, [job("migrate-1", "migrate")], "starting"),
        ({}, [job("migrate-1", "migrate"), pod("migrate", kind="task", run="migrate-1")], "running"),
        ({}, [job("migrate-1", "migrate", status={"conditions": [{"type": "Failed", "status": "True"}]})], "failed"),
    ],
)
async def test_a_run_in_an_unknown_state_is_active(serve: Serve, run: Any, objects: Any, shown: str) -> None:
    tasks = [{"name": "migrate", "runs": [{"name": "migrate-1", "state": WORD, "createdAt": AT, **run}]}]
    async with serve(of(status(tasks=tasks)), *objects) as served:
        (found,) = (await served.http.get("/v1/tasks")).json()
        assert found["status"] == shown


ODD: list[Any] = [
    {"services": "no"},
    {"services": [{"state": 5}, 7, None]},
    {"rollout": {"id": 7}},
    {"conditions": [{"type": "Ready"}]},
    {"tasks": [{"runs": [{}]}]},
    {"history": {"a": 1}},
    {"observedGeneration": "x"},
]


@pytest.mark.parametrize("odd", ODD, ids=str)
async def test_an_odd_status_hides_no_other_deployment(serve: Serve, odd: dict[str, Any]) -> None:
    good = mill_deployment({**WEB, "name": "api"}, name="good", status=status(services=[]))
    async with serve(mill_deployment(WEB, name="odd", status=odd), good) as served:
        listed = (await served.http.get("/v1/deployments")).json()
        assert [each["name"] for each in listed] == ["good", "odd"]
        assert [each["name"] for each in (await served.http.get("/v1/services")).json()] == ["api", "web"]
        assert (await served.http.get("/v1/tasks")).status_code == 200
        assert (await served.http.get("/v1/status")).json()["service_count"] == 2
        assert (await served.http.get("/v1/deployments/odd")).json()["status"] == odd


async def test_a_rollout_that_could_not_be_judged_ends_with_it(serve: Serve) -> None:
    error = "internal error of mill (ValueError, id 0123456789)"
    rollout = {"id": "1", "startedAt": AT, "finishedAt": LATER, "success": False, "error": error}
    async with serve(of(status(rollout=rollout))) as served:
        text = (await served.http.get("/v1/deployments/mill/events")).text
        assert f'event: failed\r\ndata: {{"reason": "{error}"}}' in text
        assert text.rstrip().endswith("id: 01234567.1.end")
        assert '"success": false' in text


async def test_warnings_are_shown(serve: Serve) -> None:
    async with serve(of(status(warnings=[WARNING]))) as served:
        assert (await served.http.get("/v1/deployments/mill")).json()["warnings"] == [WARNING]
        where = {"deployment": "mill", "namespace": "default"}
        assert (await served.http.get("/v1/status")).json()["warnings"] == [WARNING | where]


async def test_a_task_that_cannot_be_started_is_a_warning(serve: Serve) -> None:
    """Neither its schedule nor a person starts it, and nothing else of `mill status` says so."""
    taken = {"name": "report", "reason": "NameTaken", "message": 'CronJob "report" belongs to MillDeployment shop'}
    async with serve(of(status(tasks=[taken, {"name": "other"}]))) as served:
        (warning,) = (await served.http.get("/v1/status")).json()["warnings"]
    assert (warning["code"], warning["message"]) == (
        "NameTaken",
        'task report cannot be started: CronJob "report" belongs to MillDeployment shop',
    )


async def test_warnings_are_bounded(serve: Serve) -> None:
    many = [of(status(warnings=[WARNING] * 20), name=f"mill-{number}") for number in range(10)]
    async with serve(*many) as served:
        assert len((await served.http.get("/v1/status")).json()["warnings"]) == WARNINGS_SHOWN


async def test_the_schema_lists_no_words_of_the_status(serve: Serve) -> None:
    """A client that was generated from it accepts the words of a newer operator."""
    async with serve() as served:
        service = (await served.http.get("/openapi.json")).json()["components"]["schemas"]["State"]
        assert service["type"] == "string"
        assert "enum" not in service
