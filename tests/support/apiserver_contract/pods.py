"""Evictions and logs, of pods that a scheduling gate keeps from any node."""

import asyncio
from typing import Any, Final

import pytest

from mill_kube.connection import Request
from mill_kube.errors import ApiError, NotFound
from mill_kube.logs import LogOptions
from mill_kube.resources import PODS
from mill_objects.json import Json
from tests.support.apiserver_contract.contract import LABEL, MANAGER, Contract

ACCOUNT_SECONDS: Final = 60.0
"""A real API server admits no pod before the namespace has its default service account."""


async def _create_pod(contract: Contract, name: str) -> Json:
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {LABEL: "yes"}},
        "spec": {
            "schedulingGates": [{"name": "mill.dev/contract"}],
            "containers": [{"name": "web", "image": "registry.example/web:1"}],
        },
    }
    async with asyncio.timeout(ACCOUNT_SECONDS):
        while True:
            try:
                return await contract.client.create(PODS, contract.namespace, body, manager=MANAGER)
            except ApiError as error:
                if error.status != 403:
                    raise
                await asyncio.sleep(0.1)


async def _evict(contract: Contract, name: str, **preconditions: str) -> Json:
    body: dict[str, Any] = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": contract.namespace},
        "deleteOptions": {"preconditions": preconditions},
    }
    return await contract.client.request(Request("create", PODS, contract.namespace, name, "eviction", body=body))


async def an_evicted_pod_without_a_node_is_gone(contract: Contract) -> None:
    made = await _create_pod(contract, "evicted")
    answer = await _evict(contract, "evicted", uid=made["metadata"]["uid"])
    assert (answer["kind"], answer["status"]) == ("Status", "Success")
    with pytest.raises(NotFound):
        await contract.get("evicted", PODS)
    with pytest.raises(NotFound) as refused:
        await _evict(contract, "evicted", uid=made["metadata"]["uid"])
    assert (refused.value.details["name"], refused.value.details["kind"]) == ("evicted", "pods")


async def a_pod_without_a_node_has_an_empty_log(contract: Contract) -> None:
    await _create_pod(contract, "silent")
    log = contract.client.logs(contract.namespace, "silent", LogOptions("web"))
    assert [chunk async for chunk in log] == []


async def a_log_is_of_a_container_that_exists(contract: Contract) -> None:
    await _create_pod(contract, "logged")
    with pytest.raises(ApiError) as refused:
        await anext(contract.client.logs(contract.namespace, "logged", LogOptions("missing")))
    assert (refused.value.status, refused.value.reason) == (400, "BadRequest")
    with pytest.raises(NotFound):
        await anext(contract.client.logs(contract.namespace, "missing", LogOptions("web")))


CHECKS: Final = (
    an_evicted_pod_without_a_node_is_gone,
    a_pod_without_a_node_has_an_empty_log,
    a_log_is_of_a_container_that_exists,
)
