"""Secrets: set, read, deleted; never cached, never in another output."""

from base64 import b64decode, b64encode
from typing import Any

import pytest

from mill_kube.errors import ApiError
from mill_kube.resources import SECRETS
from tests.support.gateway.served import Serve, Served

VALUE = "postgres://shop:hunter2@db/shop"


def _secret(**values: str | bytes) -> dict[str, Any]:
    data = {
        name.replace("_", "."): b64encode(value if isinstance(value, bytes) else value.encode()).decode()
        for name, value in values.items()
    }
    return {"metadata": {"name": "mill-secrets", "namespace": "default"}, "data": data}


def _data(served: Served) -> dict[str, str] | None:
    """Return the values in the cluster, or None if there is no Secret."""
    found = served.api.find(SECRETS, "default", "mill-secrets")
    return None if found is None else {name: b64decode(value).decode() for name, value in found["data"].items()}


async def test_secrets_are_listed_without_values(serve: Serve) -> None:
    async with serve() as served:
        served.api.put(SECRETS, _secret(db_url=VALUE, api_key="x"))
        answer = await served.http.get("/v1/secrets")
        assert answer.json() == [{"name": "api.key"}, {"name": "db.url"}]
        assert answer.headers["Cache-Control"] == "no-store"
        assert VALUE not in answer.text


async def test_a_secret_is_read_from_the_cluster_each_time(serve: Serve) -> None:
    async with serve() as served:
        for value in (VALUE, "", "other \u00fc"):
            served.api.put(SECRETS, _secret(db_url=value))
            answer = await served.http.get("/v1/secrets/db.url")
            assert answer.json() == {"name": "db.url", "value": value}
            assert answer.headers["Cache-Control"] == "no-store"


async def test_a_missing_secret_is_404(serve: Serve) -> None:
    async with serve() as served:
        assert (await served.http.get("/v1/secrets")).json() == []
        for method in ("GET", "DELETE"):
            answer = await served.http.request(method, "/v1/secrets/db.url")
            assert (answer.status_code, answer.json()["error"]) == (404, "secret not found")


async def test_a_binary_secret_is_not_shown(serve: Serve) -> None:
    async with serve() as served:
        served.api.put(SECRETS, _secret(db_url=b"\xff\xfe"))
        answer = await served.http.get("/v1/secrets/db.url")
        assert (answer.status_code, "not UTF-8" in answer.json()["error"]) == (500, True)


async def test_setting_a_secret_keeps_the_others(serve: Serve) -> None:
    async with serve() as served:
        served.api.put(SECRETS, _secret(db_url="old", api_key="x"))
        assert (await served.http.put("/v1/secrets/db.url", json={"value": VALUE})).status_code == 204
        (asked,) = served.api.requests
        assert asked.body == {"data": _secret(db_url=VALUE)["data"]}
        assert _data(served) == {"db.url": VALUE, "api.key": "x"}


async def test_the_first_secret_creates_the_object_and_a_race_is_retried(serve: Serve) -> None:
    async with serve() as served:
        served.api.add_fault("create", meanwhile=lambda _: served.api.put(SECRETS, _secret(api_key="x")))
        assert (await served.http.put("/v1/secrets/db.url", json={"value": VALUE})).status_code == 204
        assert [each.verb for each in served.api.requests] == ["patch", "create", "patch"]
        assert served.api.requests[1].body["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "mill"}
        assert _data(served) == {"db.url": VALUE, "api.key": "x"}


async def test_a_deletion_holds_for_the_version_that_was_read(serve: Serve) -> None:
    async with serve() as served:
        served.api.put(SECRETS, _secret(db_url=VALUE, api_key="x"))
        changed = _secret(db_url=VALUE, api_key="y")
        served.api.add_fault("patch", times=1, meanwhile=lambda _: served.api.put(SECRETS, changed))
        assert (await served.http.delete("/v1/secrets/db.url")).status_code == 204
        assert [each.verb for each in served.api.requests] == ["get", "patch", "get", "patch"]
        first, second = (each.body for each in served.api.sent("patch"))
        assert (first["data"], second["data"]) == ({"db.url": None}, {"db.url": None})
        assert int(first["metadata"]["resourceVersion"]) < int(second["metadata"]["resourceVersion"])
        assert _data(served) == {"api.key": "y"}


@pytest.mark.parametrize(
    ("name", "status"),
    [("a b", 400), ("a%2Fb", 404), ("%C3%BC", 400), ("a%0A", 400), ("x" * 254, 400), ("..a", 400), ("A-b_c.9", 204)],
)
async def test_names(serve: Serve, name: str, status: int) -> None:
    async with serve() as served:
        assert (await served.http.put(f"/v1/secrets/{name}", json={"value": "x"})).status_code == status
        assert _data(served) == ({name: "x"} if status == 204 else None)


TOO_LONG = {"causes": [{"reason": "FieldValueTooLong", "field": "data"}]}
IMMUTABLE = {"causes": [{"reason": "FieldValueForbidden", "field": "data"}]}


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize(
    ("refused", "details", "status", "error"),
    [
        (422, TOO_LONG, 413, "the secrets of a namespace may have 1 MiB together"),
        (422, IMMUTABLE, 409, "the cluster does not take it: see whether the Secret mill-secrets is immutable"),
        (403, {}, 403, "refused by the cluster: Invalid"),
        (500, {}, 502, "refused by the cluster: Invalid"),
    ],
)
async def test_a_refusal_does_not_show_the_value(
    serve: Serve,
    first: bool,
    refused: int,
    details: dict[str, Any],
    status: int,
    error: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    refusal = ApiError(refused, "Invalid", f"Secret is invalid: {_secret(db_url=VALUE)}, {VALUE}", details)
    caplog.set_level("DEBUG")
    async with serve() as served:
        if not first:
            served.api.put(SECRETS, _secret(api_key="x"))
        fault = served.api.add_fault("create" if first else "patch", SECRETS, error=refusal)
        answer = await served.http.put("/v1/secrets/db.url", json={"value": VALUE})
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert fault.matched
        for text in (answer.text, caplog.text):
            assert VALUE not in text
            assert b64encode(VALUE.encode()).decode() not in text


async def test_a_secret_in_a_missing_namespace_is_refused(serve: Serve) -> None:
    async with serve() as served:
        served.api.namespaces = {"other"}
        answer = await served.http.put("/v1/secrets/db.url", json={"value": VALUE})
        assert (answer.status_code, answer.json()["error"]) == (404, 'namespace "default" does not exist')


async def test_an_internal_error_does_not_show_the_value(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with serve() as served:
        served.api.add_fault("patch", SECRETS, error=RuntimeError())
        answer = await served.http.put("/v1/secrets/db.url", json={"value": VALUE})
        assert answer.status_code == 500
        assert "RuntimeError" in caplog.text
        for text in (answer.text, caplog.text):
            assert VALUE not in text
            assert b64encode(VALUE.encode()).decode() not in text


async def test_a_wrong_body_is_not_repeated(serve: Serve) -> None:
    async with serve() as served:
        answer = await served.http.put("/v1/secrets/db.url", json={"value": [VALUE]})
        assert (answer.status_code, VALUE in answer.text) == (422, False)


async def test_invalid_unicode_is_refused(serve: Serve) -> None:
    async with serve() as served:
        answer = await served.http.put(
            "/v1/secrets/db.url", content=r'{"value": "\ud800"}', headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 422
        assert served.api.requests == []
