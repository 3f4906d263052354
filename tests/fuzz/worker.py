"""Tries inputs one after the other, in a process of its own."""

import time
import traceback
from dataclasses import dataclass
from typing import Any, Final

from tests.fuzz.target import Target, input_of

MINIMISE_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Failure:
    """An input for which something does not hold."""

    target: str
    seed: int
    number: int
    message: str
    input: Any
    """As small as it could be made."""


def attempt(target: Target, value: Any) -> str | None:
    """Return what does not hold for an input, if something does not."""
    started = time.process_time()
    try:
        target.check(value)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {where.filename}:{where.lineno}: {str(error)[:500]}"
    took = time.process_time() - started
    return f"slow: {took:.1f} s of CPU" if took > target.seconds else None


def tried(target: Target, seed: int, number: int) -> Failure | None:
    """Try one input; make it smaller if it fails."""
    value = input_of(target, seed, number)
    message = attempt(target, value)
    if message is None:
        return None
    if message.startswith("slow") and attempt(target, value) is None:  # it was the machine
        return None
    return Failure(target.name, seed, number, message, _smaller(target, value, message))


def _smaller(target: Target, value: Any, message: str) -> Any:
    """Take parts away for as long as it fails in the same way."""
    if not isinstance(value, str | bytes):
        return value
    kind, deadline = _kind(message), time.monotonic() + MINIMISE_SECONDS
    size = len(value) // 2
    while size:
        at = 0
        while at < len(value) and time.monotonic() < deadline:
            shorter = value[:at] + value[at + size :]
            found = attempt(target, shorter)
            if found is not None and _kind(found) == kind:
                value = shorter
            else:
                at += size
        size //= 2
    return value


def _kind(message: str) -> str:
    return " ".join(message.split(":")[:2]) if not message.startswith("slow") else "slow"
