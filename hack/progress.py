"""Tell a person who waits what is going on: one line per step, with a running clock where there is a terminal.

Written to stderr, so that `eval "$(python -m hack.cluster env)"` and scripts see results only.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_REMINDER = 30.0
"""Seconds between signs of life where the output is a file or a pipe, such as a CI log."""


def say(text: str) -> None:
    """Write one line."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Show `text` while the block runs, and how long it took when it is done."""
    started = time.monotonic()
    finished = threading.Event()
    clock = threading.Thread(target=_tick, args=(text, started, finished), daemon=True)
    clock.start()
    outcome = "failed"
    try:
        yield
        outcome = ""
    finally:
        finished.set()
        clock.join()
        start_of_line = "\r\033[K" if sys.stderr.isatty() else ""
        say(f"{start_of_line}{text} {_elapsed(started)} {outcome}".rstrip())


def _tick(text: str, started: float, finished: threading.Event) -> None:
    terminal = sys.stderr.isatty()
    while not finished.wait(1.0 if terminal else _REMINDER):
        if terminal:
            print(f"\r\033[K{text} … {_elapsed(started)}", end="", file=sys.stderr, flush=True)
        else:
            say(f"{text} … {_elapsed(started)}")


def _elapsed(started: float) -> str:
    seconds = time.monotonic() - started
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds) // 60} min {int(seconds) % 60} s"
