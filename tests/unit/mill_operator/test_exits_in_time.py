"""Whole rollouts in simulated time: what the kubelet's and the controllers' delays may not change about a verdict."""

import pytest

from mill_api.service_status import State
from mill_objects.json import Json
from tests.support.simulated_cluster import Pod, SimulatedCluster

SEEDS = (0, 6)
"""With the second one, a program that exits after nine seconds is observed to be ready for ten."""
DELAYS = (0.5, 1, 2, 3, 5, 8, 9)


def service(name: str, replicas: int = 1, **fields: object) -> Json:
    return {"name": name, "image": "registry.example/web:1", "port": 8080, "replicas": replicas, **fields}


def exiting(seconds: float, replicas: int) -> Json:
    return service("web", replicas, command=["exit-after", str(seconds)])


def exit_seconds(pod: Pod) -> float | None:
    """Return after how many seconds a program exits: what its command says."""
    return float(pod.command[1]) if pod.command else None


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("replicas", [1, 2])
async def test_a_first_deploy_that_exits_in_its_window_is_never_green(monkeypatch, delay, replicas) -> None:
    for seed in SEEDS:
        cluster = SimulatedCluster(monkeypatch, seed, exit_seconds)
        cluster.deploy(exiting(delay, replicas))
        assert (await cluster.finish("1")).success is False


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("replicas", [1, 2])
async def test_an_update_that_exits_in_its_window_is_never_green_and_costs_no_old_pod(
    monkeypatch, delay, replicas
) -> None:
    for seed in SEEDS:
        cluster = SimulatedCluster(monkeypatch, seed, exit_seconds)
        cluster.deploy(service("web", replicas))
        assert (await cluster.finish("1")).success is True
        cluster.deploy(exiting(delay, replicas))
        assert (await cluster.finish("2")).success is False
        await cluster.run(30)
        assert cluster.replaced == 0


@pytest.mark.parametrize("delay", [14, 20])
async def test_a_program_that_exits_later_is_a_regression_of_a_success(monkeypatch, delay) -> None:
    cluster = SimulatedCluster(monkeypatch, 1, exit_seconds)
    cluster.deploy(exiting(delay, 1))
    assert (await cluster.finish("1")).success is True
    await cluster.run(3 * delay)
    assert cluster.rollout.success is True
    assert [each.reason for each in cluster.rollout.regressed] == ["container exited with code 1"]


@pytest.mark.parametrize("gap", [2, 3, 6])
async def test_a_program_that_exits_in_its_window_is_not_green_by_a_second_request(monkeypatch, gap) -> None:
    for seed in SEEDS:
        cluster = SimulatedCluster(monkeypatch, seed, exit_seconds)
        cluster.deploy(exiting(5, 1))
        await cluster.run(gap)
        cluster.request("again")
        assert (await cluster.finish("1-again")).success is False
        assert [each.success for each in cluster.status.history] == [False]


@pytest.mark.parametrize("delay", [1, 5, 20, 60])
@pytest.mark.parametrize("seed", SEEDS)
async def test_an_app_that_exits_until_its_database_listens_is_renewed_once_and_green(monkeypatch, delay, seed) -> None:
    def app_exits(pod: Pod) -> float | None:
        serves = any(each.service == "db" and each.is_ready for each in cluster.pods)
        return None if pod.service == "db" or serves else 0.1

    cluster = SimulatedCluster(monkeypatch, seed, app_exits, lambda pod: delay if pod.service == "db" else 0)
    start: dict[str, object] = {"health": {"start": "2m"}} if delay > 30 else {}
    cluster.deploy(service("app", env={"DATABASE": "db:8080"}), service("db", **start))
    assert (await cluster.finish("1")).success is True
    assert [each.state for each in cluster.status.services] == [State.HEALTHY, State.HEALTHY]
    assert cluster.created == 3
