"""The OpenAPI document is true: valid and invalid requests are answered as it describes.

schemathesis makes all of its checks but one, of which the test says why.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, cast

import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import settings
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from mill_gateway.app import create_app
from mill_gateway.openapi import TAGS
from mill_gateway.routes import ROUTERS
from mill_gateway.services import spawns
from mill_gateway.settings import Settings
from mill_kube.resources import CONTROLLER_REVISIONS, CRON_JOBS, SECRETS
from tests.support.apiserver import ContainerLog
from tests.support.gateway.objects import claim, cron_job, job, mill_deployment, node, pod, revision
from tests.support.gateway.operator import finish_rollouts
from tests.support.gateway.served import Serve, Served, connect

TOKEN = "right-token"
AUTHORIZATION = {"Authorization": f"Bearer {TOKEN}"}
EXAMPLES = 8
"""Of each operation, besides those that schemathesis works out from the description. All take some seconds."""
RUN = "migrate-1a2b3c40"
WEB = {"name": "web", "image": "web:1", "replicas": 1}
OVER = {
    "rollout": {
        "id": "1",
        "startedAt": "2026-01-01T00:00:00Z",
        "finishedAt": "2026-01-01T00:00:02Z",
        "success": True,
    },
    "services": [{"name": "web", "state": "Healthy", "replicas": {"desired": 1}}],
}
"""The rollout is over, so that its stream ends."""
TERMINATED = {"terminated": {"exitCode": 0, "startedAt": "2026-02-14T10:00:01Z", "finishedAt": "2026-02-14T10:00:02Z"}}
ENDED = {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}


def _described() -> Any:
    """Return the description, and behind it the application in front of the in-memory API server."""
    # It is made when tests are collected, which may be long before they run: watches are silent until then.
    options = Settings(admin_token=TOKEN, drain=True, watch_deadline=3600)
    gateway, api = connect(options)
    log = ContainerLog([b"2026-02-14T10:00:01.5Z listening on :8080\n"], has_ended=True)
    api.logs |= {("default", name): log.read for name in ("web-0", "migrate-0")}
    secret = {"metadata": {"name": "mill-secrets", "namespace": "default"}, "data": {"db.url": "cG9zdGdyZXM="}}
    api.put(SECRETS, secret)
    api.put(CRON_JOBS, cron_job("migrate"))
    for number in (1, 2, 3):
        api.put(CONTROLLER_REVISIONS, revision(number, {**WEB, "image": f"web:{number}"}))
    served = Served(gateway, api, cast("Any", None))
    finish_rollouts(served, OVER)
    served.have(
        mill_deployment(WEB, status=OVER),
        pod("web", node="node-2"),
        job(RUN, "migrate", status=ENDED),
        pod("migrate", kind="task", run=RUN, node="node-2", phase="Succeeded", state=TERMINATED),
        claim("data", "db"),
        node("node-1"),
    )
    generation = {
        "max-examples": EXAMPLES,
        "with-security-parameters": False,  # made up ones beside the right one; the check below leaves that away
        "deterministic": True,
    }
    # What breaks a limit may be too large altogether.
    rejections = {"expected-statuses": [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, "5xx"]}
    checks = {"negative_data_rejection": rejections}
    config = SchemathesisConfig.from_dict({"generation": generation, "checks": checks})
    return schemathesis.openapi.from_asgi(
        "/openapi.json", create_app(options, gateway), config=config, headers=AUTHORIZATION
    )


SCHEMA = _described()


@pytest.fixture(scope="module")
def answered() -> Iterator[dict[str, set[int]]]:
    """Note the statuses of each operation's answers, and see that what is described was also done once."""
    found: dict[str, set[int]] = defaultdict(set)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(spawns, "WAIT_SECONDS", 0.0)
        yield found
    assert [operation for operation, statuses in found.items() if not statuses & {200, 204}] == []


@SCHEMA.parametrize()
@settings(deadline=None)
def test_every_answer_is_as_described(case: Any, answered: dict[str, set[int]]) -> None:
    if case.path == "/v1/logs/{name}" and case.path_parameters.get("name") == "web":
        case.path_parameters["name"] = RUN  # the logs of a service have no end
    if case.operation.label == "DELETE /v1/deployments/{name}" and case.query.get("plan") in (None, False, "false"):
        # The other operations need it, and no kubelet ends the pods, so that their stream would have no end.
        case.query["plan"] = True
    answer = case.call_and_validate(
        headers=AUTHORIZATION,
        # JSON Schema knows nothing of `.mill` files, durations, sizes and the ids of events: what fits it may be none.
        excluded_checks=[positive_data_acceptance],
    )
    answered[case.operation.label].add(answer.status_code)


async def test_the_description_has_every_route_with_its_errors(serve: Serve) -> None:
    async with serve() as served:
        document = (await served.http.get("/openapi.json")).json()
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
        for method, operation in methods.items():
            assert operation["summary"]
            assert operation["description"], path
            assert set(operation["tags"]) <= set(TAGS)
            assert {"400", "431", "500", "503"} <= set(operation["responses"])
            of_bodies = {"408", "413", "422"} & set(operation["responses"])
            assert len(of_bodies) == (0 if method == "get" else 3), "a read has no body"
            assert ("401" in operation["responses"]) == (operation.get("security") != []) == path.startswith("/v1/")
            assert all("X-Request-Id" in answer["headers"] for answer in operation["responses"].values())
            assert all("anyOf" not in each["schema"] for each in operation.get("parameters", ()))
    assert document["security"] == [{"bearer": []}, {"header": []}]


async def test_no_documentation_page_loads_from_other_hosts(serve: Serve) -> None:
    async with serve() as served:
        for path in ("/docs", "/redoc"):
            assert (await served.http.get(path)).status_code == 404


async def test_an_unhealthy_process_answers_as_described(serve: Serve) -> None:
    async with serve() as served:
        served.gateway.stores.pods.reflector.synced.clear()
        answer = await served.http.get("/readyz")
        described = (await served.http.get("/openapi.json")).json()["paths"]["/readyz"]["get"]["responses"]["503"]
    assert described["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Health"}
    assert (answer.status_code, set(answer.json())) == (503, {"status"})
