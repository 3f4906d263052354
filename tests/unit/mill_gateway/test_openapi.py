"""The OpenAPI document is true: whatever a client sends by it, or against it, is answered as it says."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, settings
from schemathesis import checks

from mill_api.kube.client import KubeClient
from mill_gateway.app import create_app
from mill_gateway.gateway import Gateway
from mill_gateway.openapi import TAGS
from mill_gateway.routes import ROUTERS
from mill_gateway.settings import Settings

from .conftest import Recorded, RecordedClient, Serve
from .objects import claim, job, mill_deployment, node, pod

FINISHED = {
    "rollout": {
        "id": "1",
        "startedAt": "2026-01-01T00:00:00.000Z",
        "finishedAt": "2026-01-01T00:00:01.000Z",
        "success": True,
    }
}


def _application() -> Any:
    """The application in front of a recorded cluster, in which all rollouts are over, so that streams end."""
    options = Settings(drain=True)
    kube = RecordedClient()
    gateway = Gateway.of(options, cast("KubeClient", kube))
    for reflector in gateway.watched.reflectors:
        reflector.synced.set()
    web = {"name": "web", "image": "web:1", "port": 8080}
    recorded = Recorded(gateway, kube, cast("Any", None))
    recorded.have(mill_deployment(web, status=FINISHED), pod("web"), job("t-1", "t"), claim("data", "web"), node())
    deployed = mill_deployment(web, status=FINISHED)
    kube.answers |= {
        ("patch", "milldeployments"): deployed,
        ("create", "milldeployments"): deployed,
        ("get", "milldeployments"): deployed,
        ("get", "secrets"): {"metadata": {"resourceVersion": "1"}, "data": {"a": "Yg=="}},
        ("patch", "secrets"): {},
        ("create", "jobs"): job("task-1", "task"),
        ("delete", "jobs"): {},
        ("delete", "persistentvolumeclaims"): {},
        ("list", "pods"): {"items": []},
    }
    return create_app(options, gateway)


HERE = {"Host": "localhost"}
schema = schemathesis.openapi.from_asgi("/openapi.json", _application(), headers=HERE)


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """A run that nobody starts is waited for a minute otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mill_gateway.spawn.WAIT_SECONDS", 0.01)
        yield


@schema.parametrize()
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture],
)
def test_every_answer_is_as_described(case: schemathesis.Case) -> None:
    left_out = [
        # A text is taken as a boolean or a number where it says one, as everywhere in query strings.
        checks.negative_data_rejection,
        # `patch` of one that is there and a file that is empty are as good as any.
        checks.positive_data_acceptance,
        # Which methods are there besides is in `Allow`.
        checks.unsupported_method,
        # A token is asked for by a middleware, which this application (on loopback) has no token for.
        checks.ignored_auth,
    ]
    case.call_and_validate(headers=HERE, excluded_checks=left_out)


async def test_it_describes_every_route_with_its_errors(served: Serve) -> None:
    async with served() as recorded:
        document = (await recorded.http.get("/openapi.json")).json()
    described = {(method.upper(), path) for path, routes in document["paths"].items() for method in routes}
    routes = {
        (method, route.path)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and route.include_in_schema and router.include_in_schema
        for method in route.methods
    }
    assert described == routes
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"]
            assert operation["description"], path
            assert set(operation["tags"]) <= set(TAGS)
            assert {"400", "401", "403", "503"} <= set(operation["responses"])
    assert document["security"] == [{"bearer": []}, {"header": []}]


async def test_there_are_no_pages_that_load_from_elsewhere(served: Serve) -> None:
    async with served() as recorded:
        for path in ("/docs", "/redoc"):
            assert (await recorded.http.get(path)).status_code == 404
