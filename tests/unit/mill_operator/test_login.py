"""What kopf gets when its credentials are refused: the same again, after a pause, or those that are new."""

import asyncio
from typing import Any, cast

import kopf
import pytest
from kopf._cogs.structs.credentials import Vault
from kubernetes.aio import client as aio

from mill_kube import backoff
from mill_kube.client import KubeClient
from mill_operator.login import Login


class Client:
    """A client whose token is what the test says."""

    def __init__(self) -> None:
        self.configuration = aio.Configuration(host="https://127.0.0.1")
        self.configuration.refresh_api_key_hook = self._read
        self.file: str | OSError = "first"
        self.forgotten = 0

    def forget_token(self) -> None:
        self.forgotten += 1

    def _read(self, configuration: Any) -> None:
        if isinstance(self.file, OSError):
            raise self.file
        configuration.api_key["BearerToken"] = f"bearer {self.file}"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses that were made, which take no time."""
    made: list[float] = []

    async def pause(self: backoff.Backoff) -> None:
        made.append(self.seconds)

    monkeypatch.setattr(backoff.Backoff, "pause", pause)
    return made


async def tokens(client: Client, refusals: int) -> list[str | None]:
    """Have kopf's vault refused so often; return the tokens that it had."""
    vault, login, had = Vault(), Login(), []

    async def authenticate() -> None:
        while True:
            await vault.wait_for_emptiness()
            await vault.populate({"login": await login(cast("KubeClient", client))})

    task = asyncio.create_task(authenticate())
    await vault.populate({"login": await login(cast("KubeClient", client))})
    try:
        async for key, info in vault:
            assert isinstance(info, kopf.ConnectionInfo)
            had.append(info.token)
            if len(had) <= refusals:
                if had == ["first", "first"]:
                    client.file = "second"
                await vault.invalidate(key, info, exc=RuntimeError("Unauthorized"))
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return had


async def test_a_refusal_does_not_end_the_operator(pauses: list[float]) -> None:
    """An API server that has just been started may refuse what it takes a moment later."""
    client = Client()
    assert await tokens(client, 1) == ["first", "first"]
    assert pauses == [0.4]
    assert client.forgotten == 2


async def test_a_new_token_is_given_at_once_and_the_same_less_and_less_often(pauses: list[float]) -> None:
    assert await tokens(Client(), 6) == ["first", "first", *["second"] * 5]
    assert pauses == [0.4, 0.4, 0.8, 1.6, 3.2]


async def test_a_token_that_cannot_be_read_is_asked_for_again_soon() -> None:
    client = Client()
    client.file = FileNotFoundError(2, "No such file or directory")
    with pytest.raises(kopf.TemporaryError, match="cannot be read") as caught:
        await Login()(cast("KubeClient", client))
    assert caught.value.delay == 5
