"""Workers on all cores, and what they report.

An input that hangs is nothing that a worker can report: each says which one it is at, and one that stays there too long
is ended, its input made again here and saved.
"""

import multiprocessing
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Final

from tests.fuzz.target import Target, input_of
from tests.fuzz.worker import Failure, tried

CHUNK: Final = 500
MOST_FAILURES: Final = 5
"""Of one target; then it is not tried on."""
HANG_SECONDS: Final = 60.0

_fork: Final = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Run:
    """How much is tried."""

    inputs: int
    seed: int
    jobs: int
    seconds: float | None = None
    """For all targets together; None is until all inputs are tried."""
    hang: float = HANG_SECONDS


@dataclass
class Result:
    """What came of it."""

    inputs: Counter[str] = field(default_factory=Counter)
    """How many were tried, by target."""
    busy: Counter[str] = field(default_factory=Counter)
    """CPU milliseconds, by target."""
    failures: list[Failure] = field(default_factory=list)


Chunk = tuple[int, range]
"""Index of a target, and numbers of inputs."""


class _Worker:
    """A process that tries chunks."""

    def __init__(self, targets: Sequence[Target], seed: int) -> None:
        self.pipe, theirs = _fork.Pipe()
        self.at: Synchronized[int] = _fork.Value("q", -1)
        """The number of the input that it is at."""
        self.process: BaseProcess = _fork.Process(target=_serve, args=(theirs, self.at, targets, seed), daemon=True)
        self.process.start()
        theirs.close()
        self.chunk: Chunk | None = None
        self.seen = -1
        self.since = 0.0

    def give(self, chunk: Chunk) -> None:
        self.chunk, self.seen, self.since = chunk, -1, time.monotonic()
        self.at.value = -1
        self.pipe.send(chunk)

    def hangs(self, seconds: float) -> bool:
        """Tell whether it has been at the same input for so long."""
        if self.chunk is None:
            return False
        if (at := self.at.value) != self.seen:
            self.seen, self.since = at, time.monotonic()
        return time.monotonic() - self.since > seconds

    def end(self) -> None:
        self.process.kill()
        self.process.join()


def _serve(pipe: Connection, at: "Synchronized[int]", targets: Sequence[Target], seed: int) -> None:
    while True:
        try:
            index, numbers = pipe.recv()
        except EOFError:
            return
        started, failures = time.process_time(), []
        for number in numbers:
            at.value = number
            if (failure := tried(targets[index], seed, number)) is not None:
                failures.append(failure)
                if len(failures) >= MOST_FAILURES:
                    break
        pipe.send((number + 1 - numbers.start, time.process_time() - started, failures))


def run(targets: Sequence[Target], how: Run) -> Result:
    """Try all targets, in turn, so that each has been tried about as much whenever it ends."""
    result, failed = Result(), Counter[str]()
    chunks = deque(
        (index, range(start, min(start + CHUNK, how.inputs)))
        for start in range(0, how.inputs, CHUNK)
        for index in range(len(targets))
    )
    deadline = None if how.seconds is None else time.monotonic() + how.seconds
    workers = [_Worker(targets, how.seed) for _ in range(how.jobs)]
    try:
        while True:
            over = deadline is not None and time.monotonic() > deadline
            for worker in workers:
                if worker.chunk is None and not over:
                    _next(worker, chunks, targets, failed)
            busy = [each for each in workers if each.chunk is not None]
            if not busy:
                return result
            ready = wait([each.pipe for each in busy], timeout=0.2)
            for at, worker in enumerate(workers):
                if worker.chunk is None:
                    continue
                index, numbers = worker.chunk
                name = targets[index].name
                if worker.pipe in ready:
                    count, seconds, failures = worker.pipe.recv()
                    worker.chunk = None
                    result.inputs[name] += count
                    result.busy[name] += round(1000 * seconds)
                elif worker.hangs(how.hang):
                    number = max(worker.seen, numbers.start)
                    worker.end()
                    message, value = f"hangs: more than {how.hang:g} s", input_of(targets[index], how.seed, number)
                    failures = [Failure(name, how.seed, number, message, value)]
                    chunks.appendleft((index, range(number + 1, numbers.stop)))
                    workers[at] = _Worker(targets, how.seed)
                else:
                    continue
                result.failures += failures
                failed[name] += len(failures)
    finally:
        for worker in workers:
            worker.end()


def _next(worker: _Worker, chunks: deque[Chunk], targets: Sequence[Target], failed: Counter[str]) -> None:
    while chunks:
        index, numbers = chunks.popleft()
        if numbers and failed[targets[index].name] < MOST_FAILURES:
            worker.give((index, numbers))
            return


def saved(failure: Failure, folder: Path) -> Path:
    """Save the input of a failure and return where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    value = failure.input
    path = folder / f"{failure.target}-{failure.seed}-{failure.number}"
    path.write_bytes(
        value
        if isinstance(value, bytes)
        else (value if isinstance(value, str) else repr(value)).encode("utf-8", "surrogatepass")
    )
    return path
