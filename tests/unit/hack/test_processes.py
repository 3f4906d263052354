"""The daemons without which the local cluster is broken."""

import json
import os
import signal
import subprocess
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


@pytest.mark.parametrize("ends_at", [signal.SIGTERM, signal.SIGKILL], ids=["asked", "killed"])
def test_a_daemon_may_be_gone_before_the_next_signal(
    ends_at: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the init that a real daemon has for a parent takes it away, at once."""
    monkeypatch.setattr(paths, "PROCESSES", tmp_path)
    kill = os.kill
    sent: list[signal.Signals] = []
    with subprocess.Popen(["sleep", "60"]) as child:
        record = {"pid": child.pid, "started": _start_time(child.pid), "argv": ["sleep"], "environment": {}}
        (tmp_path / "sleep.json").write_text(json.dumps(record))

        def reaped(pid: int, number: signal.Signals) -> None:
            sent.append(number)
            if number is ends_at:
                kill(pid, signal.SIGKILL)
                child.wait()
                if number is signal.SIGKILL:
                    kill(pid, number)
            elif number is not signal.SIGTERM:
                kill(pid, number)

        monkeypatch.setattr(os, "kill", reaped)
        processes.stop("sleep", grace=0)
    assert sent[0] is signal.SIGTERM
    assert sent[-1] is (signal.SIGCONT if ends_at is signal.SIGTERM else signal.SIGKILL)
    assert not processes.is_alive("sleep")


def _start_time(pid: int) -> str:
    file = Path(f"/proc/{pid}/stat")
    return file.read_text().rpartition(")")[2].split()[19] if file.exists() else "1"
