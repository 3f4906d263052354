"""Answers to probes."""

import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from mill_kube.reflector import Reflector
from mill_kube.resources import DEPLOYMENTS, PODS, Resource
from mill_operator.endpoints import serve
from mill_operator.metrics import Metrics
from mill_process.probes import dead_watch, unsynced_watch
from tests.support.apiserver import ApiServer, InMemoryClient

DEADLINE = 180.0


def _watch(resource: Resource) -> Reflector[Any]:
    return Reflector(InMemoryClient(ApiServer()), resource, project=lambda body: body, on_change=lambda *_: None)


@pytest.fixture
def watches() -> list[Reflector[Any]]:
    return [_watch(PODS), _watch(DEPLOYMENTS)]


@pytest.mark.parametrize(
    ("pods", "deployments", "problem"),
    [
        (1, 1, None),
        (180, 75, None),  # quiet, and begun anew after 75 s at the latest
        (181, 1, "the watch of pods has heard nothing for 181 s"),
        (200, 300, "the watch of deployments.apps has heard nothing for 300 s"),
    ],
)
def test_a_silent_watch_fails_liveness(
    watches: list[Reflector[Any]], pods: float, deployments: float, problem: str | None
) -> None:
    now = 1000.0
    watches[0].last_heard, watches[1].last_heard = now - pods, now - deployments
    assert dead_watch(watches, now, DEADLINE) == problem


def test_ready_means_that_every_watch_has_its_first_list(watches: list[Reflector[Any]]) -> None:
    assert unsynced_watch(watches) == "waiting for the first list of pods, deployments.apps"
    watches[0].synced.set()
    assert unsynced_watch(watches) == "waiting for the first list of deployments.apps"
    watches[1].synced.set()
    assert unsynced_watch(watches) is None


@pytest.fixture
async def address(watches: list[Reflector[Any]]) -> AsyncIterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    runner = await serve([listening], watches, Metrics(), deadline=DEADLINE)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    await runner.cleanup()


async def test_answers_over_http(watches: list[Reflector[Any]], address: str) -> None:
    async with aiohttp.ClientSession() as client:

        async def get(path: str) -> tuple[int, str]:
            async with client.get(address + path) as answer:
                return answer.status, await answer.text()

        assert await get("/healthz") == (200, '{"status": "ok"}\n')
        assert (await get("/readyz"))[0] == 503
        for each in watches:
            each.synced.set()
        assert await get("/readyz") == (200, '{"status": "ok"}\n')
        watches[0].last_heard = time.monotonic() - 200
        status, text = await get("/healthz")
        assert status == 503
        assert "the watch of pods has heard nothing for 200 s" in text
        status, text = await get("/metrics")
        assert status == 200
        assert "# TYPE mill_operator_rollouts_total counter" in text
