"""Nodes over HTTP."""

from typing import Any

import pytest

from mill_gateway.core.nodes import NodeView
from mill_gateway.settings import Settings
from tests.support.gateway.objects import mill_deployment, node, pod
from tests.support.gateway.served import Serve
from tests.support.gateway.two_nodes import FOREIGN, NODES


async def test_free_resources_of_nodes_exclude_requests_of_all_pods(serve: Serve) -> None:
    async with serve(*NODES, pod("web", node="a"), FOREIGN) as served:
        a, b = (await served.http.get("/v1/nodes")).json()
    assert a == {
        "id": "a",
        "address": "10.0.0.1",
        "status": "ready",
        "cpu_total": 4.0,
        "cpu_available": 3.5,
        "memory_total_bytes": 8589934592,
        "memory_available_bytes": 8589934592 - 512000000,
        "alloc_count": 1,
        "pod_count": 1,
        "platform": "linux/amd64",
    }
    assert (b["status"], b["cpu_available"], b["memory_available_bytes"], b["alloc_count"]) == ("down", -0.5, 0, 0)
    NodeView.model_validate(a, extra="forbid", strict=True)


@pytest.mark.parametrize(
    ("made", "status"),
    [
        (node(), "ready"),
        (node(unschedulable=True), "draining"),
        (node(ready=False, unschedulable=True), "down"),
    ],
)
async def test_states_of_nodes(serve: Serve, made: dict[str, Any], status: str) -> None:
    async with serve(made) as served:
        assert [each["status"] for each in (await served.http.get("/v1/nodes")).json()] == [status]


async def test_without_the_setting_no_nodes_are_listed(serve: Serve) -> None:
    async with serve(mill_deployment(), settings=Settings(nodes=False)) as served:
        assert (await served.http.get("/v1/nodes")).json() == []
        assert (await served.http.get("/v1/status")).json()["node_count"] == 0
