"""The canonical text of checks and updates."""

import re
from collections.abc import Iterator
from typing import Final

from mill_api.checks import Check, Health
from mill_api.durations import normalize_duration
from mill_api.spec import Update
from mill_language.pod_renderer import texts
from mill_language.strings import quote, quote_word

_DEFAULTS: Final = Health.model_construct()
_NUMBER: Final = re.compile(r"[1-9][0-9]*")

Pair = tuple[str, str]


def health_attributes(health: Health) -> Iterator[Pair]:
    """Yield names and values of the attributes of a health block."""
    yield from check_attributes(health)
    if health.start is not None:
        yield "start", quote(normalize_duration(health.start))


def check_attributes(check: Check) -> Iterator[Pair]:
    """Yield names and values of the attributes that a health block and a live block share."""
    if check.path is not None:
        yield "path", quote(check.path)
    if check.command is not None:
        yield "command", f"[{', '.join(map(quote_word, check.command))}]"
    if check.grpc is not None:
        yield "grpc", quote(check.grpc) if check.grpc else "true"
    if check.port is not None:
        yield "port", _number_or_text(check.port)
    yield from texts("headers", check.headers)
    if check.interval != _DEFAULTS.interval:
        yield "interval", quote(normalize_duration(check.interval))
    if check.timeout != _DEFAULTS.timeout:
        yield "timeout", quote(normalize_duration(check.timeout))
    if check.failure_threshold != _DEFAULTS.failure_threshold:
        yield "failure_threshold", str(check.failure_threshold)


def update_attributes(update: Update) -> Iterator[Pair]:
    """Yield names and values of the attributes of an update block."""
    if update.settle is not None:
        yield "settle", quote(normalize_duration(update.settle))
    if update.surge is not None:
        yield "surge", _number_or_text(update.surge)


def _number_or_text(text: str) -> str:
    return text if _NUMBER.fullmatch(text) else quote(text)
