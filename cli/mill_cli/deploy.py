"""`mill deploy`: send the file, show what becomes of it."""

import json
import queue
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from mill_cli.errors import CliError, Exit
from mill_cli.gateway import Gateway, ServerEvent, Target
from mill_cli.lines import Arrangement


def deploy(target: Target, file: Path, *, force: bool, as_json: bool) -> Exit:
    """Deploy a file and return how it went."""
    text = read(file)
    events = Gateway(target).deploy(text, force=force)
    return _show_json(events) if as_json else _show_lines(events, text)


def read(file: Path) -> bytes:
    """Read a file, or standard input. Raise `CliError`."""
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise CliError(Exit.FILE, f"{file}: {error.strerror} (os error {error.errno})") from error


def _show_json(events: Iterator[ServerEvent]) -> Exit:
    success = False
    for event in events:
        print(json.dumps({"event": event.name, "data": event.data}), flush=True)
        success = event.name == "done" and bool(event.data.get("success"))
    return Exit.GOOD if success else Exit.FAILED


def _show_lines(events: Iterator[ServerEvent], text: bytes) -> Exit:
    from mill_api.language import service_names

    arrangement = Arrangement(service_names(text))
    success = False
    for event in _with_ticks(events, arrangement):
        now = time.monotonic()
        lines = arrangement.tick(now) if event is None else arrangement.push(event.name, event.data, now)
        for line in lines:
            print(line, flush=True)
        success = event is not None and event.name == "done" and bool(event.data.get("success"))
    return Exit.GOOD if success else Exit.FAILED


def _with_ticks(events: Iterator[ServerEvent], arrangement: Arrangement) -> Iterator[ServerEvent | None]:
    """Yield the events, and None when a held line may wait no longer though no event comes."""
    arrived: queue.SimpleQueue[ServerEvent | BaseException | None] = queue.SimpleQueue()

    def read() -> None:
        try:
            for event in events:
                arrived.put(event)
            arrived.put(None)
        except BaseException as error:  # noqa: BLE001 - handed on to the reader of the queue
            arrived.put(error)

    threading.Thread(target=read, daemon=True).start()
    while True:
        wait = None if arrangement.due is None else max(0.0, arrangement.due - time.monotonic())
        try:
            item = arrived.get(timeout=wait)
        except queue.Empty:
            yield None
            continue
        if item is None:
            return
        if isinstance(item, BaseException):
            raise item
        yield item
