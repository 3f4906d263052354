"""Whole rollouts where clocks differ by a minute, and where the operator is away for a while."""

import pytest

from mill_objects.json import Json
from tests.support.simulated_cluster import Pod, SimulatedCluster

SKEWS = [(-60, -60), (-30, 0), (0, 60), (60, -60)]
"""Seconds by which the clocks of nodes and of the operator are ahead of the API server's."""


def service(name: str, **fields: object) -> Json:
    return {"name": name, "image": "registry.example/web:1", "port": 8080, "replicas": 1, **fields}


@pytest.mark.parametrize(("node", "operator"), SKEWS)
@pytest.mark.parametrize("away", [None, (2, 5), (6, 20)])
async def test_a_program_that_exits_in_its_window_is_never_green(monkeypatch, node, operator, away) -> None:
    cluster = SimulatedCluster(monkeypatch, 6, lambda _: 8.0, node_skew=node, operator_skew=operator)
    cluster.deploy(service("web"))
    if away is not None:
        await cluster.run(away[0])
        await cluster.leave(away[1])
    assert (await cluster.finish("1")).success is False


@pytest.mark.parametrize(("node", "operator"), SKEWS)
async def test_an_app_that_exits_until_its_database_listens_is_renewed_once(monkeypatch, node, operator) -> None:
    def app_exits(pod: Pod) -> float | None:
        serves = any(each.service == "db" and each.is_ready for each in cluster.pods)
        return None if pod.service == "db" or serves else 0.1

    def ready(pod: Pod) -> float:
        return 20.0 if pod.service == "db" else 0.0

    cluster = SimulatedCluster(monkeypatch, 1, app_exits, ready, node_skew=node, operator_skew=operator)
    cluster.deploy(service("app", env={"DATABASE": "db:8080"}), service("db"))
    assert (await cluster.finish("1")).success is True
    assert cluster.created == 3
