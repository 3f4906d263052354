"""The contract of the in-memory API server (`tests/support/apiserver`), kept by the real one."""

from collections.abc import Awaitable, Callable

import pytest

from mill_kube.client import KubeClient
from tests.support.apiserver_contract import CHECKS, Contract

from .conftest import Namespace


@pytest.mark.parametrize("check", CHECKS, ids=lambda each: each.__name__)
async def test_the_real_server_keeps_it(
    namespace: Namespace, check: Callable[[Contract], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(namespace.cluster.kubeconfig))
    async with await KubeClient.connect(namespace.cluster.context) as client:
        await check(Contract(client, namespace.name))
