"""Every invalid request gets JSON with an explanation and the request's id."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mill_api.limits import MILL_FILE_BYTES
from mill_gateway import errors
from mill_gateway.exceptions.deployments import InvalidMillFile
from mill_gateway.middleware.body_limit import LARGER, BodyLimit
from mill_gateway.routes import ROUTERS
from mill_gateway.settings import Settings
from mill_kube.resources import MILL_DEPLOYMENTS
from tests.support.gateway.objects import mill_deployment
from tests.support.gateway.served import Serve

FILE = Settings().max_file_bytes
SECRET = Settings().max_secret_bytes
JSON_BODY = Settings().max_json_bytes


def _refused(answer: Any, status: int, words: str) -> None:
    assert answer.status_code == status, answer.text
    assert words in answer.json()["error"]
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/nowhere", 404, "no such path: /nowhere"),
        ("GET", "/v1/deployments/", 404, "no such path"),
        ("POST", "/v1/deployments", 405, "method POST not allowed"),
        ("GET", "/v1/deployments?namespace=Not_A_Name", 400, "query.namespace: "),
        ("GET", "/v1/deployments?namespace=", 400, "query.namespace: "),
        ("GET", "/v1/deployments?namespace=" + "a" * 64, 400, "query.namespace: "),
        ("GET", "/v1/deployments/..%2F..%2Fsecrets", 404, "no such path"),
        ("GET", "/v1/deployments/%00", 400, "path.name: "),
        ("GET", "/v1/deployments/%FF", 400, "path.name: "),
        ("GET", "/v1/deployments/\U0001f980", 400, "path.name: "),
        ("GET", "/v1/deployments/nope", 404, "deployment not found: default/nope"),
        ("POST", "/v1/deploy?detail=a&force=b&name=C", 400, "query.detail: "),
        ("POST", "/v1/deploy?detail=a&force=b&name=C", 400, "query.force: "),
        ("POST", "/v1/deploy?detail=a&force=b&name=C", 400, "query.name: "),
        ("GET", "/v1/services?name=a&namespace=b&name=a", 400, "query.name: given more than once"),
        ("GET", "/v1/services?" + "a=1&" * 9000, 400, "given more than once"),
        ("POST", "/v1/restart/" + "x" * 5000, 404, "service not found"),
    ],
)
async def test_wrong_paths_and_parameters_are_explained(
    serve: Serve, method: str, path: str, status: int, words: str
) -> None:
    async with serve(mill_deployment()) as served:
        _refused(await served.http.request(method, path), status, words)
        assert served.api.requests == []


async def test_405_lists_the_allowed_methods(serve: Serve) -> None:
    async with serve() as served:
        for path, methods in {
            "/v1/deploy": "POST",
            "/v1/secrets/a": "DELETE, GET, HEAD, PUT",
            "/v1/nodes/a": "DELETE",
            "/v1/services": "GET, HEAD",
            "/v1/tasks/spawn": "POST",
        }.items():
            answer = await served.http.request("BREW", path)
            assert (answer.status_code, answer.headers["Allow"]) == (405, methods)


async def test_head_is_get_without_body_or_stream(serve: Serve) -> None:
    async with serve(mill_deployment()) as served:
        for path in ("/v1/deployments", "/v1/deployments/mill", "/v1/deployments/nope", "/v1/metrics", "/healthz", "/"):
            whole, head = await served.http.get(path), await served.http.head(path)
            assert (head.status_code, head.content) == (whole.status_code, b"")
            assert head.headers.get("Content-Type") == whole.headers.get("Content-Type")
        async with asyncio.timeout(2):
            stream = await served.http.head("/v1/deployments/mill/events")  # its rollout goes on
        assert (stream.status_code, stream.headers["Mill-Rollout"]) == (200, "01234567.1")
        assert len(served.gateway.stores.deployments.subscriptions) == 0


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"\xff\xfe", 400, "invalid config: "),
        (b"service {", 400, "invalid config: "),
        (b"#" * (FILE + 1), 413, f"the body is larger than {FILE} bytes, the limit by MILL_MAX_FILE_BYTES"),
    ],
)
async def test_invalid_mill_files_are_explained(serve: Serve, content: bytes, status: int, words: str) -> None:
    async with serve() as served:
        _refused(await served.http.post("/v1/deploy", content=content), status, words)
        assert served.api.requests == []


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("content", "headers", "status", "words"),
    [
        (b'{"value": "a"}', {}, 415, "expected request with `Content-Type: application/json`"),
        (b'{"value": "a"}', {"Content-Type": "text/plain"}, 415, "expected request"),
        (b'{"value": }', JSON, 400, "failed to parse the request body as JSON: expecting value at character 10"),
        (b'{"value": "\xff"}', JSON, 400, "as JSON: not UTF-8 at byte 11"),
        (b"[" * 200_000, JSON, 400, "as JSON: nested too deeply"),
        (b'{"value": ' + b"9" * 5000 + b"}", JSON, 400, "as JSON: a number with too many digits"),
        (b"", JSON, 422, "body: field required"),
        (b"null", JSON, 422, "into the target type: body: input should be"),
        (b"{}", JSON, 422, "body.value: field required"),
        (b'{"value": 1}', JSON, 422, "body.value: input should be a valid string"),
        (b'{"value": "hush\\ud800"}', JSON, 422, "body.value: should be text: it has half of a surrogate pair"),
        (b'"' + b"a" * SECRET + b'"', JSON, 413, f"larger than {SECRET} bytes, the limit by MILL_MAX_SECRET_BYTES"),
    ],
)
async def test_invalid_json_is_explained(
    serve: Serve,
    caplog: pytest.LogCaptureFixture,
    content: bytes,
    headers: dict[str, str],
    status: int,
    words: str,
) -> None:
    async with serve() as served:
        answer = await served.http.put("/v1/secrets/a", content=content, headers=headers)
        _refused(answer, status, words)
        assert "hush" not in answer.text + caplog.text
        assert served.api.requests == []


def test_other_bodies_have_the_default_limit() -> None:
    limit = BodyLimit.of(Settings(), "POST", "/v1/tasks")
    assert str(limit.too_large()) == f"the body is larger than {JSON_BODY} bytes, the limit by MILL_MAX_JSON_BYTES"


async def test_a_file_in_json_has_the_limit_of_a_file(serve: Serve) -> None:
    async with serve(mill_deployment()) as served:
        answer = await served.http.post("/v1/tasks/spawn", content=b'"' + b"a" * FILE + b'"', headers=JSON)
        _refused(answer, 413, f"larger than {FILE} bytes, the limit by MILL_MAX_FILE_BYTES")
        counted = served.gateway.metrics.refused.labels("body_size")
        assert counted._value.get() == 1
        # Each line of the largest file that deploys is longer in JSON.
        lines = "# a comment\n" * (MILL_FILE_BYTES // 12 - 10) + 'task "migrate" {\n  image = "a:1"\n}\n'
        body = {"file": {"task": "other", "text": lines}}
        refused = await served.http.post("/v1/tasks/spawn", json=body)
        assert (refused.status_code, refused.json()["code"]) == (404, "task_not_found")


async def test_the_settings_limit_bodies(serve: Serve) -> None:
    async with serve(settings=Settings(max_file_bytes=1024, max_secret_bytes=2048)) as served:
        _refused(await served.http.post("/v1/deploy", content=b"#" * 1025), 413, "larger than 1024 bytes")
        secret = b'{"value": "' + b"a" * 2048 + b'"}'
        answer = await served.http.put("/v1/secrets/a", content=secret, headers=JSON)
        _refused(answer, 413, "larger than 2048 bytes")


async def test_a_caller_without_rights_gets_403_for_a_body_of_any_size(serve: Serve) -> None:
    async with serve(settings=Settings(admin_token="right-token")) as served:
        answer = await served.http.post("/v1/deploy", content=b"#" * (FILE + 1))
        _refused(answer, 401, "missing or wrong token")


def test_every_route_with_a_larger_limit_exists() -> None:
    there = {(method, route.path) for router in ROUTERS for route in router.routes for method in route.methods}
    assert set(LARGER) <= there


@pytest.mark.parametrize(
    "content",
    [
        b'{"image": "x", "command": [' + b"1," * 60_000 + b"1]}",
        b'{"image": "x", "env": {' + b",".join(b'"k%d": 1' % each for each in range(10_000)) + b"}}",
        b'{"image": "x", "env": {"' + b"k" * 200_000 + b'": 1}}',
        b'{"image": "x", "env": {' + b",".join(b'"%s": 1' % (b"k" * 9000 + b"%d" % each) for each in range(28)) + b"}}",
    ],
)
async def test_errors_list_some_of_many_problems_and_cut_long_ones(serve: Serve, content: bytes) -> None:
    assert len(content) < JSON_BODY
    async with serve(mill_deployment()) as served:
        answer = await served.http.post("/v1/tasks/spawn", content=content, headers=JSON)
        assert answer.status_code == 422
        assert len(answer.content) < 8192
        assert answer.json()["error"].count("body.") <= 20


async def test_a_list_of_problems_ends_with_the_number_of_others(serve: Serve) -> None:
    query = "&".join(f"p{each}={each}&p{each}={each}" for each in range(100))
    async with serve() as served:
        words = "given more than once; and 80 more (20 is the limit by MILL_MAX_PROBLEMS)"
        _refused(await served.http.get(f"/v1/services?{query}"), 400, words)


@pytest.mark.parametrize(
    ("most", "further"),
    [
        (1, "; and 29 more (1 is the limit by MILL_MAX_PROBLEMS)"),
        (29, "; and 1 more (29 is the limit by MILL_MAX_PROBLEMS)"),
        (30, ""),
        (100, ""),
    ],
)
async def test_the_setting_limits_the_listed_problems(serve: Serve, most: int, further: str) -> None:
    content = b'{"image": "x", "command": [' + b"1," * 29 + b"1]}"
    query = "&".join(f"p{each}=&p{each}=" for each in range(30))
    async with serve(mill_deployment(), settings=Settings(max_problems=most)) as served:
        answers = (
            (await served.http.post("/v1/tasks/spawn", content=content, headers=JSON), 422, "body.command."),
            (await served.http.get(f"/v1/services?{query}"), 400, "query.p"),
        )
    for answer, status, place in answers:
        assert answer.status_code == status
        told = answer.json()["error"]
        assert told.count(place) == min(most, 30)
        assert told.partition("; and ")[2] == further.removeprefix("; and ")


async def test_long_problems_leave_room_for_the_number_of_others(serve: Serve) -> None:
    content = b'{"image": "x", "env": {' + b",".join(b'"%d%s": 1' % (each, b"k" * 90) for each in range(400)) + b"}}"
    async with serve(mill_deployment(), settings=Settings(max_problems=1000)) as served:
        answer = await served.http.post("/v1/tasks/spawn", content=content, headers=JSON)
    told = answer.json()["error"]
    count = told.count("body.env.")
    assert 20 < count < 100
    assert told.endswith(f"; and {400 - count} more")


@pytest.mark.parametrize("extra", [{"diagnostics": ["x" * 1000] * 1000}, {"detail": "x" * 100_000}, {}])
def test_an_error_has_a_limited_size(extra: dict[str, Any]) -> None:
    body = errors.error_body(InvalidMillFile("e" * 100_000, **extra), "id")
    assert len(json.dumps(body)) <= errors.LARGEST_ANSWER
    assert (body["error"][-1], body["code"], body["request"]) == ("…", "invalid_mill_file", "id")
    assert len(body.get("diagnostics", [1])) > 0


def test_an_error_of_escaped_characters_has_a_limited_size() -> None:
    body = errors.error_body(InvalidMillFile("\U0001f980" * 100_000, detail="x" * 100_000), "id")
    assert len(json.dumps(body)) <= errors.LARGEST_ANSWER
    assert (body["error"][-1], body["request"]) == ("…", "id")
    assert len(body["error"]) > 1000


async def test_repeated_input_cannot_control_a_terminal(serve: Serve) -> None:
    async with serve() as served:
        for path in ("/%1b[2J%c2%9b2J", "/%e2%80%aegpj", "/%7f%08"):
            answer = await served.http.get(path)
            assert answer.status_code == 404
            assert answer.content.isascii()
            assert answer.content.decode().isprintable()


@pytest.mark.parametrize("path", ["/v1/services", "/v1/nope", "/healthz", "/v1/metrics", "/openapi.json"])
async def test_answers_are_neither_sniffed_nor_stored(serve: Serve, path: str) -> None:
    async with serve(settings=Settings(admin_token="right-token")) as served:
        for headers in ({}, {"Authorization": "Bearer right-token"}):
            answer = await served.http.get(path, headers=headers)
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"
            assert "Strict-Transport-Security" not in answer.headers


async def test_cache_headers_of_a_route_stay(serve: Serve) -> None:
    async with serve(mill_deployment()) as served:
        assert (await served.http.get("/")).headers["Cache-Control"] == "no-cache"
        listed = await served.http.get("/v1/deployments")
        assert listed.headers["Cache-Control"] == "no-cache"
        known = await served.http.get("/v1/deployments", headers={"If-None-Match": listed.headers["ETag"]})
        assert (known.status_code, known.headers.get("Cache-Control")) == (304, None), "else it would be forgotten"


async def test_answers_over_tls_have_hsts(serve: Serve) -> None:
    settings = Settings(listen_host="0.0.0.0", admin_token="right-token", tls_cert="a", tls_key="b")  # noqa: S104
    async with serve(settings=settings) as served:
        for path in ("/", "/v1/services"):
            assert "max-age=" in (await served.http.get(path)).headers["Strict-Transport-Security"]


async def test_a_run_refuses_invalid_unicode(serve: Serve) -> None:
    half = "\\ud800"
    wanted = f'{{"image": "{half}", "env": {{"A": "{half}"}}, "command": ["{half}"]}}'
    async with serve() as served:
        answer = await served.http.post("/v1/tasks/spawn", content=wanted, headers=JSON)
        for place in ("body.image", "body.env.A", "body.command.0"):
            _refused(answer, 422, f"{place}: should be text")


async def test_a_body_without_a_length_is_limited_while_it_arrives(serve: Serve) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"#" * 65536

    async with serve() as served:
        _refused(await served.http.post("/v1/deploy", content=endless()), 413, "larger")
    assert sent <= FILE // 65536 + 2


async def test_an_endless_body_is_cut_off_after_the_time_of_the_setting(serve: Serve) -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"service"
        await asyncio.Event().wait()

    async with serve(settings=Settings(body_seconds=1)) as served:
        answer = await served.http.post("/v1/deploy", content=stuck())
        _refused(answer, 408, "no complete body within 1 s, the limit by MILL_BODY_SECONDS")
        assert served.gateway.metrics.refused.labels("body_time")._value.get() == 1


async def test_an_internal_error_is_logged_by_the_id_of_its_answer(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve() as served:
        served.api.add_fault("create", MILL_DEPLOYMENTS, error=RuntimeError("a bug"))
        answer = await served.http.post("/v1/deploy?allowEmpty=true", content="", headers={"X-Request-Id": "abc-1"})
        _refused(answer, 500, "internal error")
        assert "a bug" not in answer.text
    assert "request abc-1: internal error" in caplog.text
    assert "RuntimeError: a bug" in caplog.text


async def test_the_log_has_one_line_per_request_except_probes(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "mill_gateway")
    async with serve() as served:
        await served.http.get("/healthz")
        await served.http.get("/v1/deployments?namespace=shop", headers={"X-Request-Id": "abc-1"})
    (record,) = caplog.records
    assert record.getMessage().startswith("GET '/v1/deployments' 200 ")
    assert record.__dict__["about"]["request_id"] == "abc-1"
    assert record.__dict__["about"]["status"] == 200
