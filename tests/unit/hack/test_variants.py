"""Variants of the embedded cluster."""

from pathlib import Path

import pytest

from hack.cluster import network, variants
from hack.cluster.packages import NotSupported


@pytest.fixture(autouse=True)
def _of_this_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(variants, "_RECORD", tmp_path / "variant")
    monkeypatch.delenv(variants.VARIABLE, raising=False)


def test_the_environment_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert variants.wanted() == ""
    monkeypatch.setenv(variants.VARIABLE, "small")
    assert variants.wanted() == variants.SMALL
    monkeypatch.setenv(variants.VARIABLE, "tiny")
    with pytest.raises(NotSupported, match="MILL_VARIANT=tiny: it is small or dual-stack"):
        variants.wanted()


def test_a_cluster_is_as_usual_unless_it_was_recorded_otherwise() -> None:
    assert variants.running() == ""
    assert variants.options() == {}
    assert (network.services(), network.pods()) == (network.SERVICES, network.PODS)


def test_a_small_one_has_other_options_and_the_same_addresses() -> None:
    variants.record(variants.SMALL)
    assert variants.options()["kube-apiserver"]["watch-cache"] == "false"
    assert network.services() == network.SERVICES


def test_a_dual_stack_one_has_two_ranges_and_the_usual_options() -> None:
    variants.record(variants.DUAL_STACK)
    assert network.services() == "10.96.0.0/16,fd00:6d69:96::/112"
    assert network.pods().startswith(f"{network.PODS},fd00:")
    assert variants.options() == {}
