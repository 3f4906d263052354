"""Secrets: set, read, deleted; never cached, never in another output."""

from base64 import b64encode
from typing import Any

import pytest

from mill_kube.errors import ApiError, Conflict, NotFound

from .conftest import Request, Serve

VALUE = "postgres://shop:hunter2@db/shop"


def _secret(**values: str | bytes) -> dict[str, Any]:
    data = {
        name.replace("_", "."): b64encode(value if isinstance(value, bytes) else value.encode()).decode()
        for name, value in values.items()
    }
    return {"metadata": {"name": "mill-secrets", "resourceVersion": "7"}, "data": data}


async def test_secrets_are_listed_without_values(served: Serve) -> None:
    async with served() as recorded:
        recorded.kube.answers["get", "secrets"] = _secret(db_url=VALUE, api_key="x")
        answer = await recorded.http.get("/v1/secrets")
        assert answer.json() == [{"name": "api.key"}, {"name": "db.url"}]
        assert answer.headers["Cache-Control"] == "no-store"
        assert VALUE not in answer.text


async def test_a_secret_is_read_from_the_cluster_each_time(served: Serve) -> None:
    async with served() as recorded:
        for value in (VALUE, "", "other \u00fc"):
            recorded.kube.answers["get", "secrets"] = _secret(db_url=value)
            answer = await recorded.http.get("/v1/secrets/db.url")
            assert answer.json() == {"name": "db.url", "value": value}
            assert answer.headers["Cache-Control"] == "no-store"


async def test_a_missing_secret_is_404(served: Serve) -> None:
    async with served() as recorded:
        assert (await recorded.http.get("/v1/secrets")).json() == []
        for method in ("GET", "DELETE"):
            answer = await recorded.http.request(method, "/v1/secrets/db.url")
            assert (answer.status_code, answer.json()["error"]) == (404, "secret not found")


async def test_a_binary_secret_is_not_shown(served: Serve) -> None:
    async with served() as recorded:
        recorded.kube.answers["get", "secrets"] = _secret(db_url=b"\xff\xfe")
        answer = await recorded.http.get("/v1/secrets/db.url")
        assert (answer.status_code, "not UTF-8" in answer.json()["error"]) == (500, True)


async def test_setting_a_secret_keeps_the_others(served: Serve) -> None:
    async with served() as recorded:
        recorded.kube.answers["patch", "secrets"] = {}
        assert (await recorded.http.put("/v1/secrets/db.url", json={"value": VALUE})).status_code == 204
        (asked,) = recorded.kube.requests
        assert asked.body == {"data": _secret(db_url=VALUE)["data"]}


async def test_the_first_secret_creates_the_object_and_a_race_is_retried(served: Serve) -> None:
    answers = iter([NotFound(404, "NotFound", ""), {}])
    async with served() as recorded:
        recorded.kube.answers |= {
            ("patch", "secrets"): lambda _: next(answers),
            ("create", "secrets"): Conflict(409, "AlreadyExists", "secrets mill-secrets already exists"),
        }
        assert (await recorded.http.put("/v1/secrets/db.url", json={"value": VALUE})).status_code == 204
        assert [each.verb for each in recorded.kube.requests] == ["patch", "create", "patch"]
        assert recorded.kube.requests[1].body["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "mill"}


async def test_a_deletion_holds_for_the_version_that_was_read(served: Serve) -> None:
    answers = iter([Conflict(409, "Conflict", "changed"), {}])
    async with served() as recorded:
        recorded.kube.answers |= {
            ("get", "secrets"): _secret(db_url=VALUE, api_key="x"),
            ("patch", "secrets"): lambda _: next(answers),
        }
        assert (await recorded.http.delete("/v1/secrets/db.url")).status_code == 204
        assert [each.verb for each in recorded.kube.requests] == ["get", "patch", "get", "patch"]
        assert recorded.kube.requests[-1].body == {"metadata": {"resourceVersion": "7"}, "data": {"db.url": None}}


@pytest.mark.parametrize(
    ("name", "status"),
    [("a b", 400), ("a%2Fb", 404), ("%C3%BC", 400), ("a%0A", 400), ("x" * 254, 400), ("..a", 400), ("A-b_c.9", 204)],
)
async def test_names(served: Serve, name: str, status: int) -> None:
    async with served() as recorded:
        recorded.kube.answers["patch", "secrets"] = {}
        assert (await recorded.http.put(f"/v1/secrets/{name}", json={"value": "x"})).status_code == status


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
    served: Serve,
    first: bool,
    refused: int,
    details: dict[str, Any],
    status: int,
    error: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(asked: Request) -> ApiError:
        return ApiError(refused, "Invalid", f"Secret is invalid: {asked.body}", details)

    caplog.set_level("DEBUG")
    async with served() as recorded:
        recorded.kube.answers |= {
            ("patch", "secrets"): NotFound(404, "NotFound", "") if first else refuse,
            ("create", "secrets"): refuse,
        }
        answer = await recorded.http.put("/v1/secrets/db.url", json={"value": VALUE})
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        for text in (answer.text, caplog.text):
            assert VALUE not in text
            assert b64encode(VALUE.encode()).decode() not in text


async def test_a_secret_in_a_missing_namespace_is_refused(served: Serve) -> None:
    async with served() as recorded:
        answer = await recorded.http.put("/v1/secrets/db.url", json={"value": VALUE})
        assert (answer.status_code, answer.json()["error"]) == (404, "namespace not found")


async def test_an_internal_error_does_not_show_the_value(served: Serve, caplog: pytest.LogCaptureFixture) -> None:
    def fail(asked: Request) -> Exception:
        raise RuntimeError

    caplog.set_level("DEBUG")
    async with served() as recorded:
        recorded.kube.answers["patch", "secrets"] = fail
        answer = await recorded.http.put("/v1/secrets/db.url", json={"value": VALUE})
        assert answer.status_code == 500
        assert "RuntimeError" in caplog.text
        for text in (answer.text, caplog.text):
            assert VALUE not in text
            assert b64encode(VALUE.encode()).decode() not in text


async def test_a_wrong_body_is_not_repeated(served: Serve) -> None:
    async with served() as recorded:
        answer = await recorded.http.put("/v1/secrets/db.url", json={"value": [VALUE]})
        assert (answer.status_code, VALUE in answer.text) == (422, False)


async def test_invalid_unicode_is_refused(served: Serve) -> None:
    async with served() as recorded:
        answer = await recorded.http.put(
            "/v1/secrets/db.url", content=r'{"value": "\ud800"}', headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 422
        assert recorded.kube.requests == []
