"""Requests are authenticated first, rights are checked with the cluster, and no output contains a token."""

import logging
from pathlib import Path

import pytest

from mill_gateway.access import Caller
from mill_gateway.access.callers import User
from mill_gateway.exceptions.access import NotPermitted
from mill_gateway.settings import Settings
from mill_kube.errors import ApiError, Unreachable
from mill_kube.resources import NODES, TOKEN_REVIEWS
from mill_process import logs
from tests.support.gateway.served import Serve

from .cluster import BOT_NAME, EVERYTHING, KUBERNETES, review


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:4400"}, 200),
        ({"Host": "[::1]:4400"}, 200),
        ({"Origin": "http://127.0.0.1:4400"}, 200),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:8000"}, 403),
        ({"Host": "elsewhere.example:4400"}, 403),
        ({"Host": "evil@localhost"}, 403),
        ({"Host": "localhost:4400:80"}, 403),
        ({"Host": "["}, 403),
        ({"Host": "LOCALHOST:4400"}, 200),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Host": "elsewhere.example", "Origin": "http://elsewhere.example"}, 403),
    ],
)
async def test_an_open_gateway_refuses_pages_of_other_sites(serve: Serve, headers: dict[str, str], status: int) -> None:
    """Such a page would reach a gateway on the machine of its visitor, by the visitor's browser."""
    async with serve(*EVERYTHING) as served:
        assert (await served.http.get("/v1/deployments", headers=headers)).status_code == status
    async with serve(*EVERYTHING, settings=Settings(admin_token="right-token")) as served:
        known = {**headers, "Authorization": "Bearer right-token"}
        assert (await served.http.get("/v1/deployments", headers=known)).status_code == 200


async def test_unknown_paths_need_a_token(serve: Serve) -> None:
    async with serve(settings=Settings(admin_token="right-token")) as served:
        for path in ("/nowhere", "/openapi.json", "/docs", "/v1", "/page", "/healthz/", "/./healthz/../v1/status"):
            assert (await served.http.get(path)).status_code == 401, path
        assert (await served.http.get("/healthz")).status_code == 200
        assert (await served.http.get("/nowhere", headers={"Mill-Token": "right-token"})).status_code == 404


async def test_an_access_check_names_the_object_and_is_cached(serve: Serve) -> None:
    async with serve(*EVERYTHING, settings=KUBERNETES) as served:
        review(served, allowed=True)
        served.http.headers["Authorization"] = "Bearer good-token"
        for _ in range(3):
            assert (await served.http.get("/v1/deployments/mill?namespace=shop")).status_code == 404
        ours, theirs, access, *others = served.api.requests
        assert len(others) == 2, "whether the namespace exists, and whether the caller may list what there is"
        assert ours.body["spec"] == {"token": "good-token", "audiences": ["mill"]}
        assert theirs.body["spec"] == {"token": "good-token"}
        assert access.body["spec"] == {
            "user": BOT_NAME,
            "uid": "u-1",
            "groups": ["g"],
            "extra": {"k": ["v"]},
            "resourceAttributes": {
                "verb": "get",
                "group": "mill.dev",
                "version": "v1alpha1",
                "resource": "milldeployments",
                "namespace": "shop",
                "name": "mill",
            },
        }


async def test_a_denial_names_caller_right_and_reason(serve: Serve) -> None:
    async with serve(*EVERYTHING, settings=KUBERNETES) as served:
        review(served, allowed=False, reason="no such role")
        served.http.headers["Authorization"] = "Bearer good-token"
        answer = await served.http.get("/v1/deployments?namespace=shop")
        assert answer.json()["error"] == (
            f"{BOT_NAME} may not list milldeployments.mill.dev in namespace shop: no such role"
        )


async def test_a_request_about_no_resource_is_checked_by_its_path(serve: Serve) -> None:
    async with serve(settings=KUBERNETES) as served:
        access, caller = served.gateway.access, Caller(BOT_NAME, user=User(BOT_NAME))
        review(served, allowed=True)
        await access.require_path(caller, "get", "/metrics")
        asked = served.api.requests[-1].body["spec"]
        assert asked["nonResourceAttributes"] == {"verb": "get", "path": "/metrics"}
        assert "resourceAttributes" not in asked
        review(served, allowed=False)
        with pytest.raises(NotPermitted, match=f"^{BOT_NAME} may not get /other$"):
            await access.require_path(caller, "get", "/other")


@pytest.mark.parametrize("failure", [Unreachable("refused"), ApiError(500, "InternalError", "token good-token is …")])
async def test_an_unreachable_api_server_is_503_not_401(serve: Serve, failure: Exception) -> None:
    async with serve(settings=KUBERNETES) as served:
        served.api.add_fault("create", TOKEN_REVIEWS, error=failure)
        answer = await served.http.get("/v1/deployments", headers={"Authorization": "Bearer good-token"})
        assert answer.status_code == 503
        assert "good-token" not in answer.text


async def test_a_limited_token_is_valid_in_its_namespaces_only(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("everywhere\nlimited-token shop,test\n")
    async with serve(*EVERYTHING, settings=Settings(admin_tokens_file=str(file))) as served:

        async def status(token: str, path: str) -> int:
            answer = await served.http.get(path, headers={"Authorization": f"Bearer {token}"})
            return answer.status_code

        assert await status("limited-token", "/v1/deployments?namespace=shop") == 200
        assert await status("limited-token", "/v1/deployments?namespace=other") == 403
        assert await status("limited-token", "/v1/deployments") == 403
        assert await status("everywhere", "/v1/deployments") == 200


async def test_a_limited_token_has_no_rights_outside_namespaces(serve: Serve) -> None:
    async with serve() as served:
        access, caller = served.gateway.access, Caller("it", namespaces=frozenset({"b", "a"}))
        with pytest.raises(NotPermitted, match=r"^it may not list nodes: the token is limited to namespaces a, b$"):
            await access.require(caller, "list", NODES, None)
        with pytest.raises(NotPermitted):
            await access.require_path(caller, "get", "/metrics")


async def test_no_token_is_logged(serve: Serve, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "tokens"
    file.write_text("token-of-a-line shop\n")
    settings = Settings(admin_token="right-token", admin_tokens_file=str(file), kubernetes_tokens=True)
    async with serve(*EVERYTHING, settings=settings) as served:
        review(served, allowed=True)

        async def ask(path: str, **headers: str) -> int:
            answer = await served.http.get(path, headers={key.replace("_", "-"): it for key, it in headers.items()})
            assert not any(secret in answer.text for secret in secrets)
            return answer.status_code

        secrets = ("right-token", "wrong-token", "good-token", "token-of-a-line", "in-the-query")
        assert await ask("/v1/deployments", Authorization="Bearer right-token") == 200
        assert await ask("/v1/deployments", Authorization="Bearer good-token") == 200
        assert await ask("/v1/deployments", Mill_Token="token-of-a-line") == 403
        assert await ask("/v1/deployments?token=in-the-query", Mill_Token="wrong-token") == 401
        assert await ask("/v1/nodes?token=in-the-query&namespace=A", Mill_Token="right-token") == 200
        served.api.add_fault("create", TOKEN_REVIEWS, error=RuntimeError("a bug"))
        assert await ask("/v1/deployments?token=in-the-query", Authorization="Bearer wrong-token-2") == 500
    texts = _written(caplog.records)
    assert "an admin token" in texts
    assert "Traceback" in texts
    assert not any(secret in texts for secret in secrets)


def _written(records: list[logging.LogRecord]) -> str:
    """Return the log lines in both formats, without those of the test's own client."""
    ours = [each for each in records if each.name.partition(".")[0] not in ("httpx", "httpcore")]
    formatters = (logs.JsonFormatter(), logs.TextFormatter(logs.TEXT))
    return "\n".join(formatter.format(each) for each in ours for formatter in formatters)


async def test_a_gateway_of_one_namespace_refuses_others(serve: Serve) -> None:
    async with serve(settings=Settings(default_namespace="shop", single_namespace=True, nodes=False)) as served:
        assert (await served.http.get("/v1/deployments")).status_code == 200
        assert (await served.http.get("/v1/deployments?namespace=other")).status_code == 403
