"""Deployments, and joining or resuming the events of a rollout on any gateway at any time."""

from typing import Any

import pytest

from mill_gateway.core.deployments import DeploymentDetail, DeploymentView
from mill_kube.resources import MILL_DEPLOYMENTS
from tests.support.gateway.objects import mill_deployment
from tests.support.gateway.served import Serve

AT = "2026-01-01T00:00:00.000Z"
WEB = {"name": "web", "image": "web:1", "port": 8080}
UID = "01234567"
NONSENSE = (
    *("", "x", "1.2", "01234567.4.x", "01234567.4.1.1", "0123456.4.1", "01234567.4.-1", "01234567.4.\xb2"),
    *("01234567.4.1000001", "01234567.4.99999999999", "a" * 5000),
)


def _past(rollout: str) -> dict[str, Any]:
    return {"id": rollout, "startedAt": AT, "finishedAt": AT, "success": True}


def _deployed(generation: int, *history: str, **status: Any) -> dict[str, Any]:
    current = {"id": str(generation), "startedAt": AT, "finishedAt": "2026-01-01T00:00:01.500Z", "success": False}
    broken = {
        "name": "web",
        "state": "Failed",
        "replicas": {"desired": 1, "updated": 1, "healthy": 0},
        "reason": "TagNotFound",
        "message": "image pull failed: tag not found",
        "transitions": [
            {"seq": 1, "at": AT, "phase": "pulling"},
            {
                "seq": 2,
                "at": AT,
                "phase": "failed",
                "code": "TagNotFound",
                "message": "image pull failed: tag not found",
            },
        ],
    }
    condition = {
        "type": "Ready",
        "status": "False",
        "reason": "TagNotFound",
        "message": "1 of 1 failed: web: image pull failed: tag not found",
        "observedGeneration": generation,
        "lastTransitionTime": AT,
    }
    body = mill_deployment(
        WEB,
        status={
            "observedGeneration": generation,
            "rollout": current,
            "services": [broken],
            "history": [_past(each) for each in history],
            "conditions": [condition],
            **status,
        },
    )
    body["metadata"]["generation"] = generation
    return body


async def test_a_deployment_is_shown_with_its_verdict(serve: Serve) -> None:
    async with serve(_deployed(4, "3")) as served:
        (shown,) = (await served.http.get("/v1/deployments")).json()
        assert shown == {
            "name": "mill",
            "namespace": "default",
            "rollout": "4",
            "rolling_out": False,
            "success": False,
            "regressed": [],
            "paused": False,
            "ready": False,
            "message": "1 of 1 failed: web: image pull failed: tag not found",
            "owner": None,
            "services": [
                {
                    "name": "web",
                    "state": "Failed",
                    "replicas": {"desired": 1, "updated": 1, "healthy": 0, "serving": 0},
                    "serving_images": [],
                    "update": None,
                    "reason": "TagNotFound",
                    "message": "image pull failed: tag not found",
                }
            ],
            "warnings": [],
        }
        DeploymentView.model_validate(shown, extra="forbid")
        one = (await served.http.get("/v1/deployments/mill")).json()
        DeploymentDetail.model_validate(one, extra="forbid")
        only_here = ("routes", "rollout_tasks", "schedules", "rollouts", "spec", "status")
        assert {key: value for key, value in one.items() if key not in only_here} == shown
        assert one["spec"]["services"] == [WEB]
        assert one["status"]["history"] == [_past("3")]


async def test_a_deployment_has_the_results_of_its_rollouts(serve: Serve) -> None:
    regression = {"service": "web", "reason": "out of memory", "code": "OutOfMemory", "at": "2026-01-01T00:00:14.000Z"}
    history = [_past("3") | {"regressed": [regression]}, _past("2")]
    async with serve(_deployed(4, history=history)) as served:
        one = (await served.http.get("/v1/deployments/mill")).json()
    assert [(each["id"], each["seconds"], each["success"], each["result"]) for each in one["rollouts"]] == [
        ("4", 1.5, False, "failed: web: image pull failed: tag not found"),
        ("3", 0.0, True, "succeeded, then web failed after 14 s: out of memory"),
        ("2", 0.0, True, "succeeded"),
    ]
    assert one["rollouts"][0]["failed"] == [{"seq": 2, "service": "web", "reason": "image pull failed: tag not found"}]
    assert one["rollouts"][1]["regressed"] == [regression | {"seq": None}]


async def test_a_regression_stays_with_its_rollout(serve: Serve) -> None:
    regression = {"service": "web", "reason": "out of memory", "code": "OutOfMemory", "at": "2026-01-01T00:00:14.000Z"}
    rollout = {"id": "4", "startedAt": AT, "finishedAt": AT, "success": True, "regressed": [regression]}
    async with serve(_deployed(4, rollout=rollout)) as served:
        (shown,) = (await served.http.get("/v1/deployments")).json()
        assert (shown["success"], shown["regressed"]) == (True, [regression | {"seq": None}])
    async with serve(_deployed(5, rollout=rollout)) as served:
        (shown,) = (await served.http.get("/v1/deployments")).json()
        assert (shown["success"], shown["regressed"]) == (None, [])


async def test_a_deployment_that_the_operator_has_not_observed_is_rolling_out(serve: Serve) -> None:
    async with serve(mill_deployment(WEB)) as served:
        (shown,) = (await served.http.get("/v1/deployments")).json()
        assert (shown["rolling_out"], shown["success"], shown["ready"]) == (True, None, False)
        assert shown["message"] == "not observed by the operator yet"


@pytest.mark.parametrize("path", ["/v1/deployments", "/v1/deployments/mill"])
async def test_an_unchanged_answer_is_not_sent_again(serve: Serve, path: str) -> None:
    async with serve(_deployed(4)) as served:
        tag = (await served.http.get(path)).headers["ETag"]
        same = await served.http.get(path, headers={"If-None-Match": tag})
        assert (same.status_code, same.content) == (304, b"")
        served.have(_deployed(5))
        assert (await served.http.get(path, headers={"If-None-Match": tag})).status_code == 200


async def test_the_tag_of_a_long_list_is_short(serve: Serve) -> None:
    """Proxies take no more than a few kilobytes of headers."""
    bodies = [mill_deployment(WEB, name=f"d{number}") for number in range(100)]
    async with serve(*bodies) as served:
        tag = (await served.http.get("/v1/deployments")).headers["ETag"]
        assert len(tag) < 100
        served.lose("MillDeployment", "default", "d7")
        assert (await served.http.get("/v1/deployments", headers={"If-None-Match": tag})).status_code == 200


EVENTS = "/v1/deployments/mill/events"


async def test_a_late_reader_gets_everything_and_a_resumed_one_the_rest(serve: Serve) -> None:
    async with serve(_deployed(4)) as served:
        whole = await served.http.get(EVENTS)
        assert [line for line in whole.text.split("\r\n") if line.startswith("id")] == [
            f"id: {UID}.4.2",
            f"id: {UID}.4.end",
        ]
        assert (whole.headers["Mill-Rollout"], whole.headers["X-Accel-Buffering"]) == (f"{UID}.4", "no")
        rest = await served.http.get(EVENTS, headers={"Last-Event-ID": f"{UID}.4.2"})
        assert rest.text == 'event: done\r\ndata: {"elapsed": 1.5, "success": false}\r\nid: 01234567.4.end\r\n\r\n'


async def test_the_events_of_one_service(serve: Serve) -> None:
    async with serve(_deployed(4)) as served:
        whole = await served.http.get(EVENTS)
        one = await served.http.get(EVENTS, params={"service": "web"})
        assert one.text.split("\r\n\r\n")[0] == whole.text.split("\r\n\r\n")[0]
        assert '"success": false' in one.text
        nobody = await served.http.get(EVENTS, params={"service": "nope"})
        assert (nobody.status_code, nobody.json()["error"]) == (404, "service not found")


async def test_after_the_last_event_there_is_nothing(serve: Serve) -> None:
    async with serve(_deployed(4)) as served:
        answer = await served.http.get(EVENTS, headers={"Last-Event-ID": f"{UID}.4.end"})
        assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    ("rollout", "history", "status", "words"),
    [
        ("3", ("3",), 200, '"success": true'),
        ("2", ("3",), 200, "superseded by generation 9"),  # never seen: the history has room for it
        ("6", ("8", "7", "5", "4", "3"), 200, "superseded by generation 9"),  # never seen: it has older ones
        ("2", ("8", "7", "6", "5", "4"), 410, "rollout 2 is no longer known: the last 5"),
        ("9-abc", (), 404, "there is no rollout 9-abc yet; the latest is 9"),
        ("10", (), 404, "there is no rollout 10 yet; the latest is 9"),
        ("x", (), 400, "is not one of ours"),
        ("9-", (), 400, "is not one of ours"),
        ("\u0669", (), 400, "is not one of ours"),
    ],
)
async def test_past_and_future_rollouts(
    serve: Serve, rollout: str, history: tuple[str, ...], status: int, words: str
) -> None:
    async with serve(_deployed(9, *history)) as served:
        answer = await served.http.get(EVENTS, params={"rollout": rollout})
        assert (answer.status_code, words in answer.text) == (status, True), answer.text


async def test_a_rollout_that_another_gateway_has_just_requested_is_looked_up(serve: Serve) -> None:
    async with serve(_deployed(4)) as served:
        served.api.put(MILL_DEPLOYMENTS, _deployed(5))
        answer = await served.http.get(EVENTS, headers={"Last-Event-ID": f"{UID}.5.1"})
        assert (answer.status_code, f"id: {UID}.5.end" in answer.text) == (200, True)


async def test_a_recreated_deployment_has_no_events_of_its_predecessor(serve: Serve) -> None:
    async with serve(_deployed(4)) as served:
        answer = await served.http.get(EVENTS, headers={"Last-Event-ID": "ffffffff.4.1"})
        assert (answer.status_code, "was deleted" in answer.json()["error"]) == (410, True)


async def test_a_deployment_that_another_gateway_has_just_created_is_looked_up(serve: Serve) -> None:
    async with serve() as served:
        served.api.put(MILL_DEPLOYMENTS, _deployed(1))
        for how in ({}, {"headers": {"Last-Event-ID": f"{UID}.1.0"}}):
            answer = await served.http.get(EVENTS, **how)
            assert (answer.status_code, f"id: {UID}.1.end" in answer.text) == (200, True)
        assert len(served.api.requests) == 1, "it is in the cache by then"


async def test_a_deployment_that_was_just_recreated_is_looked_up(serve: Serve) -> None:
    recreated = _deployed(1)
    recreated["metadata"]["uid"] = "ffffffff-1"
    async with serve(_deployed(4)) as served:
        served.api.put(MILL_DEPLOYMENTS, recreated)
        answer = await served.http.get(EVENTS, headers={"Last-Event-ID": "ffffffff.1.0"})
        assert (answer.status_code, "id: ffffffff.1.end" in answer.text) == (200, True)


async def test_a_missing_deployment_is_404(serve: Serve) -> None:
    async with serve() as served:
        never = await served.http.get(EVENTS)
        assert (never.status_code, never.json()["error"]) == (404, "deployment not found: default/mill")
        gone = await served.http.get(EVENTS, headers={"Last-Event-ID": f"{UID}.4.1"})
        assert (gone.status_code, "was deleted" in gone.json()["error"]) == (410, True)
        over = await served.http.get(EVENTS, headers={"Last-Event-ID": f"{UID}.4.end"})
        assert over.status_code == 204


async def test_unknown_rollouts_leave_nothing_in_memory(serve: Serve) -> None:
    async with serve(_deployed(4, "3")) as served:
        for rollout in ("4", "3", *(f"2-{number}" for number in range(20))):
            assert (await served.http.get(EVENTS, params={"rollout": rollout})).status_code == 200
        (known,) = served.gateway.stores.deployments.in_group("default")
        assert len(known._events) == 2


@pytest.mark.parametrize("last", NONSENSE)
async def test_foreign_event_ids_are_refused(serve: Serve, last: str) -> None:
    async with serve(_deployed(4)) as served:
        answer = await served.http.get(EVENTS, headers={"Last-Event-ID": last.encode("latin-1")})
        assert (answer.status_code, "is not one of ours" in answer.json()["error"]) == (400, True)
