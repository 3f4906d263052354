"""The Docker engine of tests: it has what it needs, and nothing of it is left on the machine, however it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.commands import CommandFailed, run
from hack.docker import debian, engine
from hack.images.mill.layout import ROOT

pytestmark = pytest.mark.timeout(600)

PLACES = (
    "/etc/docker/key.json",
    "/lib/modules",
    "/run/docker",
    "/run/docker.sock",
    "/var/lib/docker",
    "/var/run/docker.pid",
)


def traces() -> dict[str, object]:
    """What an engine could leave on a machine; other programs change none of it."""
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    groups = Path("/sys/fs/cgroup")
    return {
        "folders": [place for place in PLACES if Path(place).exists()],
        "mounts": [line for line in mounts if "docker" in line],
        "links": [
            path.name for path in Path("/sys/class/net").iterdir() if "docker" in path.name or "kind" in path.name
        ],
        "groups": sorted(map(str, [*groups.glob("mill-docker*"), *groups.glob("*/mill-docker*")])),
        "processes": sorted(_engines()),
        "state": engine.STATE.exists(),
    }


def _engines() -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended
        if any(str(engine.STATE).encode() in word for word in words):
            yield words[0].decode()


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    engine.down()
    before = traces()
    assert before["state"] is False
    yield
    assert traces() == before


@pytest.mark.parametrize("own_network", [True, False])
def test_a_container_runs_and_leaves_nothing(own_network: bool) -> None:
    with engine.running(own_network=own_network) as docker:
        image = debian.load(docker)
        command = ("run", "--rm", "--privileged", "--pull", "never", "--volume", "/lib/modules:/lib/modules:ro")
        assert "bookworm" in docker.docker(*command, image, "cat", "/etc/os-release")
        docker.docker("run", "--detach", "--pull", "never", "--network", "none", image, "sleep", "1000")
        assert docker.docker("ps", "--quiet")


def test_its_network_is_its_own() -> None:
    with engine.running(own_network=True) as docker:
        links = run(*docker.inside(), "ip", "-brief", "link")
        assert {line.split()[0] for line in links.splitlines()} == {"lo", "mill-docker0"}
        assert "default" not in run(*docker.inside(), "ip", "route")


def test_a_program_that_is_killed_leaves_an_engine_that_the_next_one_ends() -> None:
    script = (
        "import time\nfrom hack.docker import engine\n"
        "with engine.running(own_network=True) as docker:\n    print(docker.pid, flush=True)\n    time.sleep(1000)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        pid = int(killed.stdout.readline())
        os.kill(killed.pid, signal.SIGKILL)
    assert Path(f"/proc/{pid}").exists()
    engine.down()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_command_that_fails_says_why_and_leaves_nothing() -> None:
    with engine.running(own_network=True) as docker, pytest.raises(CommandFailed, match="No such image"):
        docker.docker("image", "inspect", "mill-dev/none:1")
