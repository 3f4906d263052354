"""The daemons without which the local cluster is broken."""

import json
import os
from pathlib import Path

import pytest

from hack import paths
from hack.cluster import processes

ALIVE = os.getpid()
DEAD = 2**22 + 1
"""No process has it: the kernel's own limit is lower."""


@pytest.mark.parametrize(
    ("records", "missing"),
    [
        pytest.param({}, [], id="none"),
        pytest.param({"etcd": (ALIVE, False), "kubelet": (DEAD, False)}, ["kubelet"], id="one of the cluster's"),
        pytest.param({"etcd": (ALIVE, False), "kwok": (DEAD, True)}, [], id="a guest"),
        pytest.param(
            {"etcd": (ALIVE, None), "kubelet": (DEAD, None)}, ["kubelet"], id="records before there were guests"
        ),
    ],
)
def test_the_cluster_is_whole_without_guests(
    records: dict[str, tuple[int, bool | None]], missing: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "PROCESSES", tmp_path)
    for name, (pid, guest) in records.items():
        record = {"pid": pid, "started": _start_time(pid), "argv": [name], "environment": {}}
        (tmp_path / f"{name}.json").write_text(json.dumps(record | ({} if guest is None else {"guest": guest})))
    assert processes.missing() == missing


def _start_time(pid: int) -> str:
    file = Path(f"/proc/{pid}/stat")
    return file.read_text().rpartition(")")[2].split()[19] if file.exists() else "1"
