"""What is read of the gateway's services, whatever it sends."""

from typing import Any

import pytest

from mill_cli.output.overview import overview
from mill_cli.services import Pod, Route, project_services

WEB = {
    "name": "web",
    "namespace": "shop",
    "deployment": "mill",
    "state": "Suspect",
    "image": "web:3",
    "serving_images": ["web:2"],
    "update": "update in progress (0/2)",
    "replicas": {"desired": 2, "healthy": 0, "serving": 1},
    "port": 8080,
    "allocations": [
        {"id": "web-1", "status": "healthy", "current": False, "restarts": 3},
        {"id": "web-2", "status": "running"},
    ],
    "routes": [{"url": "http://shop.example/", "problem": None}, {"url": "http://b.example/", "problem": "no DNS"}],
    "message": "not ready",
    "detail": "HTTP 503",
    "suggestion": "Read its log.",
    "since": "2026-02-14T10:01:00Z",
    "due_at": "2026-02-14T10:15:18Z",
}


def test_a_service_as_the_gateway_reports_it() -> None:
    (web,) = project_services([WEB])
    assert (web.namespace, web.deployment, web.name, web.state) == ("shop", "mill", "web", "Suspect")
    assert (web.desired, web.healthy, web.serving, web.port) == (2, 0, 1, 8080)
    assert web.pods == (
        Pod("web-1", "healthy", is_current=False, restarts=3),
        Pod("web-2", "running", is_current=True, restarts=0),
    )
    assert web.routes == (Route("http://shop.example/", ""), Route("http://b.example/", "no DNS"))
    assert (web.cause, web.suggestion) == ("not ready (HTTP 503)", "Read its log.")
    assert (web.created_at, web.since, web.due_at) == (None, WEB["since"], WEB["due_at"])


def test_the_original_has_one_number_of_replicas_and_no_state() -> None:
    (web,) = project_services([{"name": "web", "replicas": {"desired": 2, "healthy": 1}}])
    assert (web.serving, web.state, web.cause) == (1, "", "")


@pytest.mark.parametrize("odd", [None, 5, "text", [], {}, True, -1, 2**70, [None, 5, {}]])
@pytest.mark.parametrize("key", [*WEB, None])
def test_odd_values_are_empty(key: str | None, odd: Any) -> None:
    answer = odd if key is None else [{**WEB, key: odd}]
    found = project_services(answer)
    assert all(each.port is None or 0 < each.port < 65536 for each in found)
    assert all(isinstance(each.name, str) and each.desired >= 0 for each in found)
    text = overview({"cluster": {}, "services": answer, "tasks": [], "nodes": None}, None, 80)
    assert ("SERVICES" in text) == bool(found)
