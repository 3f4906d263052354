"""Which versions the local cluster is made of, and how each containerd is configured."""

import json
import tomllib
from pathlib import Path

import pytest

from hack import versions
from hack.cluster import components, runtime
from hack.cluster.components import Components, are_named, named_by
from hack.cluster.packages import NotSupported

DEFAULT = Components(versions.KUBERNETES, versions.CONTAINERD)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param({}, DEFAULT, id="neither"),
        pytest.param({"MILL_KUBERNETES": "", "MILL_CONTAINERD": ""}, DEFAULT, id="both empty"),
        pytest.param({"MILL_KUBERNETES": "1.31.0"}, Components("1.31.0", "1.6"), id="an older Kubernetes"),
        pytest.param({"MILL_KUBERNETES": "1.37.2"}, Components("1.37.2", "2.4.2"), id="one that needs containerd 2"),
        pytest.param({"MILL_CONTAINERD": "1.7.31"}, Components("1.35.4", "1.7.31"), id="another containerd"),
        pytest.param(
            {"MILL_KUBERNETES": "1.33", "MILL_CONTAINERD": "2.4"}, Components("1.33.13", "2.4.2"), id="beginnings"
        ),
    ],
)
def test_the_environment_names_the_pair(environment: dict[str, str], expected: Components) -> None:
    assert named_by(environment) == expected
    assert are_named(environment) == any(environment.values())


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        pytest.param({"MILL_KUBERNETES": "1.3"}, "MILL_KUBERNETES=1.3: .* 1.31.0, 1.33.13", id="a part of a number"),
        pytest.param({"MILL_KUBERNETES": "latest"}, "MILL_KUBERNETES=latest", id="a word"),
        pytest.param({"MILL_CONTAINERD": "2.0.0"}, "MILL_CONTAINERD=2.0.0: .* 1.6, 1.7.31, 2.4.2", id="not built"),
        pytest.param(
            {"MILL_KUBERNETES": "1.37.2", "MILL_CONTAINERD": "1.7.31"},
            "Kubernetes 1.37.2 does not work with containerd 1.7.31: MILL_CONTAINERD=2.4.2",
            id="a pair that does not work",
        ),
    ],
)
def test_what_cannot_be_made_is_refused(environment: dict[str, str], message: str) -> None:
    with pytest.raises(NotSupported, match=message):
        named_by(environment)


def test_a_cluster_that_runs_stays_what_it_is_unless_another_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (components.KUBERNETES, components.CONTAINERD):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(components, "_RECORD", tmp_path / "components.json")
    assert components.wanted() == DEFAULT, "nothing is recorded"
    other = Components("1.37.2", "2.4.2")
    (tmp_path / "components.json").write_text(json.dumps({"kubernetes": "1.37.2", "containerd": "2.4.2"}))
    assert components.wanted() == components.running() == other
    monkeypatch.setenv(components.KUBERNETES, "1.35")
    assert components.wanted() == DEFAULT
    assert components.running() == other


def test_only_what_the_distribution_lacks_is_built() -> None:
    assert [each.name for each in DEFAULT.programs] == ["kubernetes"]
    assert [(each.name, each.version) for each in Components("1.37.2", "2.4.2").programs] == [
        ("containerd", "2.4.2"),
        ("kubernetes", "1.37.2"),
    ]
    assert DEFAULT.runtime_directory is None


@pytest.mark.parametrize("version", versions.CONTAINERD_CHOICES)
def test_each_containerd_has_its_own_folders_and_form(version: str, tmp_path: Path) -> None:
    document = tomllib.loads(runtime.configuration(version, tmp_path))
    assert document["root"] == str(tmp_path / "containerd")
    assert document["grpc"]["address"] == str(tmp_path / "containerd.sock")
    plugins = document["plugins"]
    old = version.startswith("1.")
    cri = plugins["io.containerd.grpc.v1.cri" if old else "io.containerd.cri.v1.runtime"]
    assert document["version"] == (2 if old else 3)
    assert cri["restrict_oom_score_adj"] is True
    assert cri["netns_mounts_under_state_dir"] is True
    assert cri["containerd"]["runtimes"]["runc"]["options"] == {"Root": str(tmp_path / "runc")}
    assert plugins["io.containerd.grpc.v1.cri"]["stream_server_address"] == "127.0.0.1"
    sandbox = cri["sandbox_image"] if old else plugins["io.containerd.cri.v1.images"]["pinned_images"]["sandbox"]
    assert "/pause:" in sandbox
