"""The image for the architecture that this machine has not, started by an emulator.

The emulator is called by name: the kernel is told nothing of it, since that would hold for everything on this machine.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from hack.cluster import packages
from hack.commands import run
from hack.images.mill import Mill, application, build_mill
from hack.images.mill.layout import ARCHITECTURES, ENVIRONMENT, PROGRAM, SCRIPTS, USER
from hack.toolchain.go import ARCHITECTURE
from tests.support.imports import IMPORT_EVERYTHING

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to enter the image's folder as its root"),
]

OTHER = next(each for each in ARCHITECTURES if each != ARCHITECTURE)
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
EMULATOR = f"/usr/bin/qemu-{MACHINES[OTHER]}-static"
SECONDS = 120.0

NOWHERE = """
apiVersion: v1
kind: Config
current-context: none
contexts: [{name: none, context: {cluster: none, user: none}}]
clusters: [{name: none, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: none, user: {token: none}}]
"""
"""A cluster that does not answer: each program must be alive all the same."""


@dataclass(frozen=True)
class Emulated:
    """The image's files, and the emulator among them."""

    mill: Mill
    root: Path

    def command(self, *arguments: str) -> list[str]:
        """Return a command line that runs the image's Python as the image's user does."""
        chroot = shutil.which("chroot") or "/usr/sbin/chroot"
        return [chroot, f"--userspec={USER}:{USER}", str(self.root), "/emulator", f"/{SCRIPTS}/python", *arguments]

    def run(self, *arguments: str) -> str:
        return run(*self.command(*arguments), env=ENVIRONMENT, timeout=SECONDS)

    @contextlib.contextmanager
    def serving(self, program: str, option: str) -> Iterator[str]:
        """Have a program run while the block does; yield its address."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        log = self.root.parent / f"{program}.log"
        with log.open("w") as output:
            started = subprocess.Popen(
                self.command(f"/{SCRIPTS}/{program}", option, str(port)),
                env={**ENVIRONMENT, "KUBECONFIG": "/nowhere"},
                stdout=output,
                stderr=output,
            )
            try:
                yield f"http://127.0.0.1:{port}"
                assert started.poll() is None, log.read_text()[-2000:]
            finally:
                started.kill()
                started.wait(timeout=30)


def registered() -> set[str]:
    """Return what the kernel has been told of emulators."""
    folder = Path("/proc/sys/fs/binfmt_misc")
    return {each.name for each in folder.iterdir()} if folder.is_dir() else set()


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    before = registered()
    packages.install({"qemu-user-static": EMULATOR})
    root = tmp_path_factory.mktemp("image") / "root"
    root.mkdir()
    mill = build_mill(OTHER)
    for layer in mill.layers:
        run("tar", "--directory", root, "-xf", layer.file)
    shutil.copy(EMULATOR, root / "emulator")
    (root / "nowhere").write_text(NOWHERE)
    for folder in (root, root.parent, root.parent.parent):
        folder.chmod(0o755)  # the image's user must reach it
    yield Emulated(mill, root)
    assert registered() == before


def test_it_is_for_the_other_architecture(emulated: Emulated) -> None:
    asked = "import platform, sys; print(platform.machine(), sys.prefix)"
    assert emulated.run("-c", asked) == f"{MACHINES[OTHER]} /opt/mill\n"
    assert MACHINES[OTHER] in "".join(path.name for path in (emulated.root / "lib").iterdir())
    assert (emulated.root / PROGRAM).exists()


@pytest.mark.parametrize("program", ["mill", "mill-operator", "mill-gateway"])
def test_its_programs_say_their_version(emulated: Emulated, program: str) -> None:
    assert emulated.run(f"/{SCRIPTS}/{program}", "--version") == f"{program} {application.version()}\n"


def test_everything_in_it_can_be_imported(emulated: Emulated) -> None:
    ours = sorted(Path(each).name for each in application.SOURCES if "/" in each)
    assert '"re2"' in emulated.run("-c", IMPORT_EVERYTHING, *ours)


@pytest.mark.parametrize(("program", "option"), [("mill-gateway", "--listen-port"), ("mill-operator", "--health-port")])
def test_it_answers_that_it_is_alive(emulated: Emulated, program: str, option: str) -> None:
    with emulated.serving(program, option) as address:
        answer = ask(f"{address}/healthz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        assert httpx.get(f"{address}/readyz", timeout=30).status_code == 503


def ask(url: str) -> httpx.Response:
    """Ask until there is an answer."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return httpx.get(url, timeout=30)
        except httpx.ConnectError:
            assert time.monotonic() < deadline, f"{url} did not answer within {SECONDS:.0f} s"
            time.sleep(0.5)


def test_what_both_architectures_share_is_the_same(emulated: Emulated) -> None:
    """The Python files and what they are compiled to: this machine's Python compiles for both."""
    native = build_mill()
    for name in ("dependencies", "application"):
        one, other = native.parts[name].tree, emulated.mill.parts[name].tree
        compiled = {path.relative_to(one) for path in one.rglob("*.pyc")} & {
            path.relative_to(other) for path in other.rglob("*.pyc")
        }
        assert len(compiled) > 50
        assert [each for each in compiled if (one / each).read_bytes() != (other / each).read_bytes()] == []
