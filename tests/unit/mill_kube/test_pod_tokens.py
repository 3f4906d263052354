"""The token of the pod's account: it expires, and the kubelet writes another one in its place."""

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiohttp import web
from kubernetes.aio.config import incluster_config

from mill_kube.client import KubeClient
from mill_kube.errors import ApiError, Unreachable
from mill_kube.logs import LogOptions
from mill_kube.resources import PODS
from tests.support.certificates import make

MINUTE = dt.timedelta(minutes=1)


class Clock(dt.datetime):
    """The time as the client reads it, which the test moves."""

    ahead = dt.timedelta(0)

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:
        return dt.datetime.now(tz) + cls.ahead


class Account:
    """The folder that the kubelet mounts, and an API server that keeps what it is sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sent: list[str] = []
        self.ended = ""
        """The token that is not valid any more."""

    def write(self, token: str) -> None:
        """Write a token as the kubelet does: another folder, and a link that changes at once."""
        data = self.folder / f"..{token}"
        data.mkdir()
        (data / "token").write_text(token)
        following = self.folder / "..following"
        following.symlink_to(data.name)
        following.rename(self.folder / "..data")

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.sent.append(request.headers["Authorization"])
        if self.sent[-1] == f"bearer {self.ended}":
            return web.json_response({"reason": "Unauthorized", "message": "Unauthorized"}, status=401)
        return web.json_response({"metadata": {"resourceVersion": "1"}, "items": []})


@pytest.fixture
async def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Account]:
    keys = make(tmp_path, "server", host="IP:127.0.0.1")
    made = Account(tmp_path)
    made.write("first")
    (tmp_path / "token").symlink_to("..data/token")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / "tls.crt", keys / "tls.key")
    runner = web.ServerRunner(web.Server(made.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    for name in ("KUBECONFIG", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(runner.addresses[0][1]))
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(keys / "tls.crt"))
    monkeypatch.setattr(Clock, "ahead", dt.timedelta(0))
    times = SimpleNamespace(datetime=Clock, timedelta=dt.timedelta)
    monkeypatch.setattr(incluster_config, "datetime", times)
    yield made
    await runner.cleanup()


async def test_a_token_that_was_replaced_is_used_a_minute_later_at_the_latest(account: Account) -> None:
    async with await KubeClient.connect() as client:
        await client.list(PODS, "default")
        account.write("second")
        Clock.ahead = MINUTE
        await client.list(PODS, "default")
    assert account.sent == ["bearer first", "bearer second"]


async def test_logs_have_it_too(account: Account) -> None:
    async with await KubeClient.connect() as client:
        await client.list(PODS, "default")
        async for _ in client.logs("default", "web", LogOptions(container="web")):
            pass
        account.write("second")
        Clock.ahead = MINUTE
        async for _ in client.logs("default", "web", LogOptions(container="web")):
            pass
    assert account.sent[-1] == "bearer second"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.unlink(),
        lambda file: file.write_text(""),
        lambda file: file.write_text(" \n"),
        lambda file: file.write_bytes(b"SECRET\xff"),
        lambda file: file.write_text("SECRET\nSECRET"),
        lambda file: file.write_text("SECRET\0"),
        lambda file: file.write_text("SECRET" * 100_000),
    ],
    ids=["missing", "empty", "white space", "no text", "two lines", "a null byte", "huge"],
)
async def test_a_token_that_cannot_be_read_is_tried_again(account: Account, spoil: Callable[[Path], object]) -> None:
    """As what keeps the API server from answering: whoever asked tries again, and no watch ends for good."""
    async with await KubeClient.connect() as client:
        await client.list(PODS, "default")
        spoil((account.folder / "..data" / "token").resolve())
        Clock.ahead = MINUTE
        for _ in range(2):
            with pytest.raises(Unreachable, match="the token of the pod's account cannot be read") as caught:
                await client.list(PODS, "default")
            assert "SECRET" not in str(caught.value)
            assert "0xff" not in str(caught.value)
        account.write("second")
        await client.list(PODS, "default")
    assert account.sent == ["bearer first", "bearer second"]


async def test_requests_at_the_same_time_have_one_token(account: Account) -> None:
    async with await KubeClient.connect() as client:
        account.write("second")
        Clock.ahead = MINUTE
        await asyncio.gather(*(client.list(PODS, "default") for _ in range(5)))
    assert set(account.sent) == {"bearer second"}


async def test_a_token_that_is_refused_is_replaced_at_once_by_the_one_in_the_file(account: Account) -> None:
    async with await KubeClient.connect() as client:
        account.write("second")
        account.ended = "first"
        await asyncio.gather(*(client.list(PODS, "default") for _ in range(3)))
        await client.list(PODS, "default")
    assert account.sent.count("bearer first") <= 3
    assert account.sent.count("bearer second") == 4


async def test_a_refusal_of_the_token_in_the_file_is_the_callers(account: Account) -> None:
    account.ended = "first"
    async with await KubeClient.connect() as client:
        with pytest.raises(ApiError, match="Unauthorized"):
            await client.list(PODS, "default")
    assert account.sent == ["bearer first"], "it is not asked again with the same one"


async def test_a_token_that_was_read_just_before_it_was_refused_is_not_sent_twice(account: Account) -> None:
    async with await KubeClient.connect() as client:
        await client.list(PODS, "default")
        account.write("second")
        account.ended = "second"
        Clock.ahead = MINUTE
        with pytest.raises(ApiError, match="Unauthorized"):
            await client.list(PODS, "default")
    assert account.sent == ["bearer first", "bearer second"]


async def test_white_space_around_a_token_is_no_part_of_it(account: Account) -> None:
    """As for client-go, and so for what else writes such files."""
    (account.folder / "..data" / "token").write_text("\tfirst\r\n")
    async with await KubeClient.connect() as client:
        await client.list(PODS, "default")
    assert account.sent == ["bearer first"]
