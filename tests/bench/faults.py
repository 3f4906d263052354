"""What `mill deploy` says in a CI log during seven faults, and when, into docs/verdicts.md: `make bench-faults`.

An update of two services from a good version: `web` to another good one, `bad` to the fault. The command runs without
a terminal. The bench runs an operator of its own, with the settling window that users have, and pauses the one that
`make start` started.
"""

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hack import images
from hack.cluster import Cluster, node_images, up
from hack.install.crd import install_crd
from mill_cli.errors import Exit
from tests.bench.command import Line, Timed, timed
from tests.e2e.conftest import MILL, Namespace, new_namespace
from tests.e2e.objects import Json, quota
from tests.soak.page import NOTHING, PAGE, Section, measured_with, quoted, with_section
from tests.soak.stack import own_stack

HEADING: Final = "What a CI log shows of seven faults"
LIMIT_SECONDS: Final = 300.0
_CHECK: Final = 'health { path = "/healthz" }'
_SERVICE: Final = """
service "{name}" {{
  image = "REGISTRY/web:{tag}"
  port  = 8080
{lines}}}
"""


def _service(name: str, tag: str, lines: Sequence[str] = ()) -> str:
    return _SERVICE.format(name=name, tag=tag, lines="".join(f"  {each}\n" for each in lines))


def _small(name: str, tag: str, *lines: str) -> str:
    return _service(name, tag, ["cpu = 0.02", 'memory = "32M"', *lines])


_CRASH: Final = '["/web", "--print", "FATAL: DATABASE_URL is not set", "--no-listen", "--exit-after", "1ms"]'


@dataclass(frozen=True)
class Fault:
    """A fault of a service's new version."""

    title: str
    bad: str
    """The new version."""
    before: list[Json] = field(default_factory=list)
    """What is in the namespace before."""


FAULTS: Final[tuple[Fault, ...]] = (
    Fault("tag missing", _small("bad", "no-such-tag")),
    Fault("crash, exit code 1", _small("bad", "2", f"command = {_CRASH}")),
    Fault("never ready", _small("bad", "2", _CHECK, 'command = ["/web", "--ready-after", "1h"]')),
    Fault("64 CPU requested", _service("bad", "2", ["cpu = 64", 'memory = "32M"'])),
    Fault("Secret missing", _small("bad", "2", "env { PASSWORD = secret(db.password) }")),
    Fault(
        "quota exceeded",
        _service("bad", "2", ["cpu = 0.02", 'memory = "2G"']),
        [quota("small", {"requests.memory": "1G"})],
    ),
    Fault("no such command", _small("bad", "2", 'command = ["/nope"]')),
)


def run(namespace: Namespace, fault: Fault) -> Timed:
    """Deploy the good version, then the fault, and return what the command wrote."""
    for each in fault.before:
        namespace.kubectl("apply", "-f", "-", stdin=json.dumps(each))
    good = namespace.deploy(_small("web", "1") + _small("bad", "1"))
    assert good.code == Exit.SUCCESS, good
    file = namespace.folder / f"{namespace.name}.mill"
    file.write_text((_small("web", "2") + fault.bad).replace("REGISTRY", namespace.registry))
    environment = {**namespace.cluster.environment(), "MILL_ADDRESS": namespace.gateway}
    command = [str(MILL), "deploy", "-f", str(file), "--namespace", namespace.name]
    return timed(command, environment, LIMIT_SECONDS)


def section(found: Sequence[tuple[Fault, Timed]], measured: str) -> Section:
    """Return the times and texts of each fault."""
    return Section(
        HEADING,
        "An update of two services from a good version: `web` to another good one, `bad` to the fault, by `mill "
        "deploy` without a terminal. *First line* is the first of standard output and standard error, *cause* the "
        "first line of either that names `bad` and what is wrong, *verdict* the line of standard output. Seconds "
        "since the command was started, medians; the texts are those of one run.",
        ("fault", "first line", "cause", "its text", "verdict", "its text", "end", "exit code"),
        [_row(fault, [run for each, run in found if each == fault]) for fault in FAULTS],
        measured,
    )


def _row(fault: Fault, runs: Sequence[Timed]) -> list[str]:
    if not runs:
        return [fault.title, *[NOTHING] * 7]
    causes = [_cause(each) for each in runs]
    verdicts = [_verdict(each) for each in runs]
    return [
        fault.title,
        _median([each.first for each in runs]),
        _median(causes),
        _text(causes),
        _median(verdicts),
        _text(verdicts),
        f"{statistics.median(each.seconds for each in runs):.1f}",
        ", ".join(sorted({str(each.code) for each in runs})),
    ]


def _cause(run: Timed) -> Line | None:
    lines = (each for each in run.lines if "bad: waiting" in each.text or "bad: failed" in each.text)
    return next(lines, None)


def _verdict(run: Timed) -> Line | None:
    return next((each for each in run.lines if each.stream == "stdout" and "bad: failed" in each.text), None)


def _median(lines: Sequence[Line | None]) -> str:
    seconds = [each.seconds for each in lines if each is not None]
    return f"{statistics.median(seconds):.1f}" if seconds else NOTHING


def _text(lines: Sequence[Line | None]) -> str:
    return quoted(next((each.text for each in lines if each is not None), ""))


def measure(cluster: Cluster, gateway: str, folder: Path, repetitions: int, parallel: int) -> list[tuple[Fault, Timed]]:
    """Run every fault so often, several at once. One that cannot be measured is reported, and left out."""

    def once(fault: Fault) -> tuple[Fault, Timed] | None:
        try:
            with (
                tempfile.TemporaryDirectory(dir=folder) as own,
                new_namespace(cluster, Path(own), "faults", gateway) as namespace,
            ):
                found = run(namespace, fault)
        except (AssertionError, subprocess.SubprocessError) as error:
            print(f"not measured: {fault.title}: {error}", file=sys.stderr, flush=True)
            return None
        for line in found.lines:
            print(f"{fault.title}: {line.seconds:6.1f} {line.stream}: {line.text}", file=sys.stderr, flush=True)
        return fault, found

    slowest_first = sorted(FAULTS, key=lambda each: "CPU" not in each.title)
    with ThreadPoolExecutor(parallel) as pool:
        results = pool.map(once, [fault for fault in slowest_first for _ in range(repetitions)])
        return [each for each in results if each is not None]


def main(arguments: list[str] | None = None) -> int:
    """Measure, and write the page."""
    argv = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="python -m tests.bench.faults", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=3, help="number of times that each fault is deployed (3)")
    parser.add_argument("--parallel", type=int, default=3, help="number of deploys at once (3)")
    parser.add_argument("--page", type=Path, default=PAGE, help="page whose section is replaced (docs/verdicts.md)")
    options = parser.parse_args(argv)
    cluster = up()
    for tag in ("1", "2"):
        node_images.forget(images.push_sample(cluster.registry, tag))
    install_crd(cluster)
    measured = measured_with(cluster, "tests.bench.faults", argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder, own_stack(cluster, Path(folder)) as gateway:
        found = measure(cluster, gateway, Path(folder), options.repetitions, options.parallel)
    result = section(found, measured)
    print(result, flush=True)
    options.page.write_text(with_section(options.page.read_text(), result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
