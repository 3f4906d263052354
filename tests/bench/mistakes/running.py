"""All mistakes: those that change nothing one after the other, then the others side by side."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from hack.cluster import Cluster
from tests.bench.mistakes.mistake import Addresses, Chapter, Mistake, Place, web
from tests.bench.mistakes.sections import Made
from tests.e2e.conftest import free_port, new_namespace
from tests.e2e.gateway.process import GatewayProcess
from tests.support.http_servers import serving

_TOKEN: Final = "the-token-of-the-gateway"


class _Other(BaseHTTPRequestHandler):
    """A server that is no gateway."""

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@dataclass(frozen=True)
class Bench:
    """What all mistakes share."""

    cluster: Cluster
    folder: Path
    addresses: Addresses

    @contextmanager
    def place(self) -> Iterator[Place]:
        """Have a place while the block runs."""
        with (
            tempfile.TemporaryDirectory(dir=self.folder) as own,
            new_namespace(self.cluster, Path(own), "mistakes", self.addresses.gateway) as namespace,
        ):
            yield Place(namespace, self.addresses)


@contextmanager
def bench(cluster: Cluster, folder: Path, gateway: str) -> Iterator[Bench]:
    """Have the other servers while the block runs."""
    guarded = GatewayProcess(cluster, folder, "guarded", MILL_ADMIN_TOKEN=_TOKEN)
    try:
        guarded.wait_until_ready()
        with serving(ThreadingHTTPServer(("127.0.0.1", 0), _Other)) as other:
            addresses = Addresses(
                gateway,
                guarded.url,
                f"http://127.0.0.1:{other.server_port}",
                f"http://127.0.0.1:{free_port()}",
            )
            yield Bench(cluster, folder, addresses)
    finally:
        guarded.stop()


def measure(shared: Bench, chapters: Sequence[Chapter], parallel: int) -> list[Made]:
    """Make every mistake once. One that cannot be measured is reported, and left out."""
    made: list[Made | None] = []
    if quick := [each for chapter in chapters if chapter.is_quick for each in chapter.mistakes]:
        with shared.place() as place:
            place.deploy(web())
            place.mill("secret", "set", "db.password", "x")
            made += [_make(place, each) for each in quick]

    def alone(mistake: Mistake) -> Made | None:
        try:
            with shared.place() as place:
                return _make(place, mistake)
        except (AssertionError, subprocess.SubprocessError) as error:
            print(f"no namespace: {mistake.title}: {error}", file=sys.stderr, flush=True)
            return None

    with ThreadPoolExecutor(parallel) as pool:
        made += pool.map(alone, [each for chapter in chapters if not chapter.is_quick for each in chapter.mistakes])
    return [each for each in made if each is not None]


def _make(place: Place, mistake: Mistake) -> Made | None:
    try:
        made = Made(mistake, mistake.run(place), place.named())
    except (AssertionError, subprocess.SubprocessError) as error:
        print(f"not measured: {mistake.title}: {error}", file=sys.stderr, flush=True)
        return None
    lines = [f"{each.seconds:6.1f} {each.stream}: {each.text}" for each in made.run.lines]
    end = f"{made.run.seconds:6.1f} exit code {made.run.code}"
    print("\n".join([f"== {mistake.title}", *lines, end]), file=sys.stderr, flush=True)
    return made
