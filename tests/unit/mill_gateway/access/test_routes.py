"""Every route refuses a caller without its right, and so do routes that are added later.

The routes are those of the application, and requests are generated from its OpenAPI, so that these tests cover a new
route at once; only its row in docs/access.md has to be written.
"""

import re
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from mill_gateway.access.access_request import AccessRequest
from mill_gateway.app import create_app
from mill_gateway.middleware.authentication import PUBLIC, PUBLIC_FOLDER
from mill_gateway.settings import Settings
from mill_kube.resources import Resource
from tests.support.gateway.served import Serve, Served

from .cluster import BOT_NAME, EVERYTHING, KUBERNETES, review

DOCUMENTATION = Path(__file__).parents[4] / "docs" / "access.md"
LEAVES_OUT = {("GET", "/v1/status")}
"""Routes that leave out what the caller may not read, and refuse nothing."""
EXAMPLES = {"string": "web", "integer": 1, "number": 1, "boolean": False, "array": [], "object": {}}

APP = create_app(Settings())
OPENAPI = APP.openapi()


def _all(routes: Iterable[Any]) -> Iterator[Any]:
    """Yield every route, those of routers and mounted applications included."""
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "app", None)
        if hasattr(route, "endpoint"):
            yield route
        elif hasattr(inner, "routes"):
            yield from _all(inner.routes)
        else:
            yield route


def _is_public(path: str) -> bool:
    return path in PUBLIC or path.startswith(PUBLIC_FOLDER)


CLOSED = [route for route in _all(APP.routes) if not _is_public(route.path)]
EVERY = [(method, route.path) for route in CLOSED for method in sorted(getattr(route, "methods", None) or {"GET"})]
ROUTES = [(method, route.path) for route in CLOSED if isinstance(route, APIRoute) for method in sorted(route.methods)]


def _example(schema: dict[str, Any]) -> Any:
    """Return a value that a schema allows."""
    if "$ref" in schema:
        return _example(OPENAPI["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    for given in ("default", "const"):
        if given in schema:
            return schema[given]
    for given in ("examples", "enum", "anyOf", "oneOf"):
        if schema.get(given):
            first = schema[given][0]
            return first if given in ("examples", "enum") else _example(first)
    if schema.get("type") == "object":
        properties = schema.get("properties") or {}
        return {name: _example(properties[name]) for name in schema.get("required") or ()}
    return EXAMPLES[schema.get("type", "string")]


async def _send(served: Served, method: str, path: str, **options: Any) -> Any:
    """Send a request that the route accepts."""
    about = (OPENAPI["paths"].get(path) or {}).get(method.lower()) or {}
    query = {
        each["name"]: _example(each["schema"])
        for each in about.get("parameters") or ()
        if each["in"] == "query" and each.get("required")
    }
    in_path = {each["name"]: _example(each["schema"]) for each in about.get("parameters") or () if each["in"] == "path"}
    numbers = {name: str(value) for name, value in in_path.items() if isinstance(value, int)}
    content = (about.get("requestBody") or {}).get("content") or {}
    if "application/json" in content:
        options["json"] = _example(content["application/json"]["schema"])
    url = re.sub(r"\{([^}]+)\}", lambda found: numbers.get(found[1], "web"), path)
    return await served.http.request(method, url, params=query, **options)


def test_every_route_is_covered() -> None:
    described = {
        (method.upper(), path)
        for path, methods in OPENAPI["paths"].items()
        for method in methods
        if not _is_public(path)
    }
    assert described <= set(ROUTES)
    assert ("POST", "/v1/deploy") in described
    assert ("GET", "/openapi.json") in EVERY


def test_requests_are_generated_from_the_description() -> None:
    schemas = OPENAPI["components"]["schemas"]
    assert _example(schemas["Spawn"]) == {"task": "migrate", "env": {"STEPS": "3"}}
    assert set(_example(schemas["SecretValue"])) == {"value"}


@pytest.mark.parametrize(("method", "path"), EVERY)
async def test_every_route_needs_a_token(serve: Serve, method: str, path: str) -> None:
    async with serve(*EVERYTHING, settings=Settings(admin_token="right-token")) as served:
        for headers in ({}, {"Authorization": "Bearer wrong-token"}, {"Authorization": "bearer right-token"}):
            answer = await _send(served, method, path, headers=headers)
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
            assert method == "HEAD" or set(answer.json()) == {"error", "code", "request", "request_id"}
        assert served.api.requests == []


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_caller_without_rights_gets_nothing(serve: Serve, method: str, path: str) -> None:
    async with serve(*EVERYTHING, settings=KUBERNETES) as served:
        review(served, allowed=False)
        answer = await _send(served, method, path, headers={"Authorization": "Bearer good-token"})
        if (method, path) in LEAVES_OUT:
            assert set(answer.json().values()) == {0}
        else:
            assert answer.status_code == 403, answer.text
            assert answer.json()["error"].startswith(f"{BOT_NAME} may not ")
        assert {each.resource.kind for each in served.api.requests} == {"TokenReview", "SubjectAccessReview"}


WITH_BODY = [
    (method, path)
    for method, path in ROUTES
    if "requestBody" in ((OPENAPI["paths"].get(path) or {}).get(method.lower()) or {})
]


def test_the_routes_with_a_body_are_known() -> None:
    deploys = {("POST", "/v1/deploy"), ("POST", "/v1/deploy/plan")}
    assert deploys | {("POST", "/v1/tasks/spawn"), ("PUT", "/v1/secrets/{name}"), ("PUT", "/v1/registries")} == set(
        WITH_BODY
    )


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
@pytest.mark.parametrize(("method", "path"), WITH_BODY)
async def test_no_body_of_a_caller_without_rights_is_read(
    serve: Serve, method: str, path: str, content_type: str
) -> None:
    received = 0

    async def huge() -> AsyncIterator[bytes]:
        nonlocal received
        for part in (b'{"command":[', *[b"1," * 500_000] * 2, b"1]}"):
            received += 1
            yield part

    async with serve(*EVERYTHING, settings=KUBERNETES) as served:
        review(served, allowed=False)
        headers = {"Authorization": "Bearer good-token", "Content-Type": content_type}
        url = re.sub(r"\{[^}]+\}", "web", path)
        answer = await served.http.request(method, url, content=huge(), headers=headers)
        assert (answer.status_code, received) == (403, 0), answer.text[:200]
        answer = await served.http.request(method, url, content=b"{{{", headers=headers)
        assert answer.status_code == 403


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_the_documentation_lists_the_right_of_each_route(serve: Serve, method: str, path: str) -> None:
    async with serve(*EVERYTHING, settings=KUBERNETES) as served:
        review(served, allowed=False)
        await _send(served, method, path, headers={"Authorization": "Bearer good-token"})
        first = next(each for each in served.api.requests if each.resource.kind == "SubjectAccessReview")
    row = f"| `{method} {path}` | `{_asked(first.body['spec'])}` |"
    assert row in DOCUMENTATION.read_text(), f"docs/access.md should have a row that begins with:\n\n{row}"


def test_the_documentation_lists_no_unknown_route() -> None:
    rows = re.findall(r"^\| `([A-Z]+) (/\S*)` \|", DOCUMENTATION.read_text(), re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) <= set(ROUTES)


def _asked(spec: dict[str, Any]) -> str:
    """Return the right that a review is about, without names."""
    if (path := spec.get("nonResourceAttributes")) is not None:
        return f"{path['verb']} {path['path']}"
    about = spec["resourceAttributes"]
    resource = Resource(about.get("group", ""), about["version"], "", about["resource"])
    return str(AccessRequest(about["verb"], resource, subresource=about.get("subresource")))
