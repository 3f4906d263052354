"""The options of the control plane's components."""

import pytest

from hack.cluster import audit, components, control_plane, nodes, processes, variants
from hack.cluster.processes import Daemon


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, ...]]:
    """What is started, by name, instead of a start of it."""
    commands: dict[str, tuple[str, ...]] = {}

    def start(daemon: Daemon) -> None:
        commands[daemon.name] = daemon.argv

    monkeypatch.setattr(processes, "start", start)
    monkeypatch.setattr(processes, "wait_until", lambda *_: None)
    monkeypatch.setattr(audit, "options", dict)
    monkeypatch.setattr(components, "running", lambda: components.named_by({}))
    return commands


def test_overrides_are_of_one_component_and_replace_its_usual_options(started: dict[str, tuple[str, ...]]) -> None:
    small = {"kube-scheduler": {"kube-api-qps": 50}, "etcd": {"auto-compaction-mode": "periodic"}}
    control_plane.start({}, small)
    assert list(started) == ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]
    scheduler, manager = started["kube-scheduler"], started["kube-controller-manager"]
    assert [each for each in scheduler if each.startswith("--kube-api-qps")] == ["--kube-api-qps=50"]
    assert "--kube-api-qps=2000" in manager
    assert "--auto-compaction-mode=periodic" in started["etcd"]


def test_two_nodes_and_a_small_cluster_have_the_options_of_both(
    started: dict[str, tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variants, "running", lambda: variants.SMALL)
    control_plane.start(nodes.options((nodes.FIRST, nodes.SECOND)), variants.options())
    assert {"--default-unreachable-toleration-seconds=20", "--watch-cache=false"} <= set(started["kube-apiserver"])
    assert "--node-monitor-grace-period=16s" in started["kube-controller-manager"]


def test_a_single_node_is_lost_as_late_as_usual() -> None:
    assert nodes.options((nodes.FIRST,)) == {}
