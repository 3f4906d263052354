"""Which cluster is taken where a Docker engine runs."""

import pytest

from hack.cluster import choose, embedded, kind


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param({}, kind, id="nothing"),
        pytest.param({"MILL_NODE_COUNT": ""}, kind, id="empty"),
        pytest.param({"MILL_KUBERNETES": "1.31.0"}, embedded, id="a version"),
        pytest.param({"MILL_CONTAINERD": "1.7.31"}, embedded, id="a runtime"),
        pytest.param({"MILL_NODE_COUNT": "2"}, embedded, id="two nodes"),
        pytest.param({"MILL_VARIANT": "small"}, embedded, id="a variant"),
    ],
)
def test_what_only_the_embedded_cluster_can_be_is_not_asked_of_kind(
    environment: dict[str, str], expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KUBECONFIG", "MILL_CONTEXT", *choose._EMBEDDED_ALONE):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(choose.paths, "SUFFIX", "")
    monkeypatch.setattr(choose.sys, "platform", "linux")
    monkeypatch.setattr(choose.os, "geteuid", lambda: 0)
    monkeypatch.setattr(choose, "_docker_engine_runs", lambda: True)
    assert choose.backend() is expected
