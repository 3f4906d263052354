"""The second node of the embedded cluster."""

from pathlib import Path

import pytest

from hack import paths
from hack.cluster import cgroups, cleaning, machine, network, nodes, variants
from hack.cluster.packages import NotSupported


@pytest.fixture(autouse=True)
def _nothing_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "NAMESPACES", tmp_path / "netns")
    monkeypatch.setattr(paths, "CLUSTER", tmp_path / "cluster")
    monkeypatch.setattr(paths, "NODES", tmp_path / "cluster/nodes")
    monkeypatch.setattr(variants, "_RECORD", tmp_path / "variant")
    for each in (network, cgroups):
        monkeypatch.setattr(each, "exists", lambda: False)
    for variable in (nodes.VARIABLE, variants.VARIABLE):
        monkeypatch.delenv(variable, raising=False)


def test_a_machine_that_was_left_behind_is_a_trace_of_a_cluster(tmp_path: Path) -> None:
    """As after a run apart that was killed: of the machine its name is left, which a new one cannot have."""
    assert cleaning.is_clean()
    assert nodes.SECOND.machine is not None
    left = tmp_path / "netns" / nodes.SECOND.machine.namespace
    left.parent.mkdir()
    left.touch()
    assert not cleaning.is_clean()


@pytest.mark.parametrize(
    ("asked", "there", "wanted"),
    [(None, 0, 1), (None, 2, 2), ("", 2, 2), ("1", 2, 1), ("2", 0, 2), ("2", 1, 2)],
)
def test_as_many_nodes_as_are_asked_for_or_else_as_there_are(
    asked: str | None, there: int, wanted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if asked is not None:
        monkeypatch.setenv(nodes.VARIABLE, asked)
    for node in (nodes.FIRST, nodes.SECOND)[:there]:
        node.directory.mkdir(parents=True)
    assert len(nodes.wanted()) == wanted


@pytest.mark.parametrize(("number", "variant"), [("0", ""), ("3", ""), ("two", ""), ("2", variants.DUAL_STACK)])
def test_other_numbers_are_refused_and_two_with_both_families(
    number: str, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(nodes.VARIABLE, number)
    monkeypatch.setenv(variants.VARIABLE, variant)
    with pytest.raises(NotSupported, match="has 1 node"):
        nodes.wanted()
