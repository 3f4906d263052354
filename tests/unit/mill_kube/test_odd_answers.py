"""Watches and requests whose answer is not an API server's, or is very large."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes.aio import client as aio

from mill_kube.client import KubeClient
from mill_kube.connection import _ahead
from mill_kube.errors import MESSAGE_LIMIT, REASON_LIMIT, ApiError, Expired, Unreachable
from mill_kube.resources import PODS
from mill_objects.json import Json

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@asynccontextmanager
async def answering(*parts: bytes, headers: dict[str, str] | None = None) -> AsyncIterator[KubeClient]:
    """Have a server that answers everything with these bytes, part by part."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        for part in parts:
            await response.write(part)
            await asyncio.sleep(0)
        return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as listening:
        client = KubeClient(aio.Configuration(host=str(listening.make_url("")).rstrip("/")))
        try:
            yield client
        finally:
            await client.close()


async def watched(*parts: bytes) -> list[Json]:
    async with answering(*parts) as client:
        return [event async for event in client.watch(PODS, "n", resource_version="1")]


def event(size: int = 0, kind: str = "MODIFIED") -> bytes:
    return json.dumps({"type": kind, "object": {"metadata": {"name": "x" * size}}}).encode() + b"\n"


async def test_an_event_may_be_as_large_as_an_object_can_be() -> None:
    large = event(5_000_000)
    got = await watched(event(), large[:7], large[7:], event())
    assert [len(each["object"]["metadata"]["name"]) for each in got] == [0, 5_000_000, 0]


async def test_an_event_is_not_kept_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mill_kube.watching.LARGEST_EVENT", 1000)
    with pytest.raises(Unreachable, match="an event of more than 1000 bytes"):
        await watched(b"x" * 5000)


async def test_half_an_event_is_none() -> None:
    assert len(await watched(event(), event()[:20])) == 1


@pytest.mark.parametrize(
    "line",
    [
        *(
            b"<html>",
            b"[]",
            b"null",
            b"{}",
            b'{"type": "ADDED"}',
            b'{"type": 1, "object": {}}',
            b"\xff",
            b"[" * 100_000,
        ),
        *(b'{"type": "ADDED", "object": null}', b'{"type": "ERROR", "object": []}'),
    ],
)
async def test_an_invalid_event_ends_the_watch(line: bytes) -> None:
    with pytest.raises(Unreachable):
        await watched(line + b"\n")


async def test_an_error_in_a_watch_is_a_refusal_whatever_it_looks_like() -> None:
    with pytest.raises(Expired):
        await watched(b'{"type": "ERROR", "object": {"code": 410, "message": "too old", "details": null}}\n')
    with pytest.raises(ApiError) as raised:
        await watched(b'{"type": "ERROR", "object": {"code": "x", "message": {}, "details": [1]}}\n')
    assert (raised.value.status, raised.value.details) == (500, {})


@pytest.mark.parametrize("body", [b"", b"<html>502", b"[]", b"null", b"\xff", b"1" * 5000, b"[" * 100_000])
async def test_an_answer_that_is_no_json_object_is_none(body: bytes) -> None:
    async with answering(body) as client:
        with pytest.raises(Unreachable, match="no JSON object"):
            await client.list(PODS, "n")


@pytest.mark.parametrize(
    ("date", "ahead"),
    [
        ("Sat, 31 Jan 2026 12:00:05 GMT", timedelta(seconds=5)),
        ("Sat, 31 Jan 2026 12:00:05 -0000", timedelta(seconds=5)),
        ("", timedelta(0)),
        ("yesterday", timedelta(0)),
        ("Sat, 31 Feb 2026 12:00:05 GMT", timedelta(0)),
        ("Sat, 31 Jan 99999 12:00:05 GMT", timedelta(0)),
    ],
)
def test_a_date_that_cannot_be_read_changes_no_clock(date: str, ahead: timedelta) -> None:
    assert _ahead(date, NOW) == ahead


@pytest.mark.parametrize(
    "status",
    [
        *(b"{}", b"[]", b"null", b"\xff", b'{"details": {"causes": [null, {"reason": 5}], "kind": []}}'),
        *(b'{"details": {"causes": {}, "retryAfterSeconds": "soon"}}', b'{"details": {"retryAfterSeconds": -5}}'),
    ],
)
def test_a_refusal_of_any_form_is_one(status: bytes) -> None:
    error = ApiError.from_status(409, status)
    assert (error.namespace_terminating, error.retry_after) == (False, None)


def test_a_refusal_says_when_to_ask_again() -> None:
    assert ApiError.from_status(429, b'{"details": {"retryAfterSeconds": 7}}').retry_after == 7


def test_the_text_of_a_refusal_is_one_line() -> None:
    hostile = "no\r\n2026-11-27T00:00:00Z ERROR forged\x1b]0;title\x07 \u202eend " + "x" * 100_000
    status = {"reason": "Bad\nReason" + "y" * 1000, "message": hostile}
    error = ApiError.from_status(403, json.dumps(status).encode())
    assert str(error).startswith("no 2026-11-27T00:00:00Z ERROR forged end xxx")
    assert str(error).isprintable()
    assert len(str(error)) == MESSAGE_LIMIT
    assert error.reason == ("Bad Reason" + "y" * 1000)[:REASON_LIMIT]
    assert error.message == hostile  # for who takes credentials out of it, line by line


@pytest.mark.parametrize(
    ("reason", "message", "words"),
    [("Forbidden", "", "Forbidden"), ("", "", "HTTP 403"), ("Forbidden", "\x1b[0m\n", "Forbidden")],
)
def test_a_refusal_without_a_message_shows_its_reason(reason: str, message: str, words: str) -> None:
    assert str(ApiError(403, reason, message)) == words
