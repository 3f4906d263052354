"""Records as text and as JSON."""

import json
import logging

import pytest

from mill_objects.key import Key
from mill_process.logs import TEXT, JsonFormatter, TextFormatter, about

KEY = Key("default", "mill")


def record(message: str, *arguments: object, failed: bool = False, **extra: object) -> logging.LogRecord:
    error = (ValueError, ValueError("broken"), None) if failed else None
    made = logging.makeLogRecord({"name": "mill", "levelno": 30, "levelname": "WARNING", "msg": message, **extra})
    made.args, made.created, made.exc_info = arguments, 1_769_860_800.2504, error
    return made


def test_json_has_the_fields_of_the_record() -> None:
    line = JsonFormatter().format(record("%s: done", KEY, **about(KEY, rollout="4", service="web", code=None)))
    assert json.loads(line) == {
        "time": "2026-01-31T12:00:00.250Z",
        "level": "warning",
        "logger": "mill",
        "message": "default/mill: done",
        "namespace": "default",
        "name": "mill",
        "rollout": "4",
        "service": "web",
    }


def test_json_is_one_line_whatever_is_in_it() -> None:
    line = JsonFormatter().format(record("two\nlines: %s", "ä", failed=True))
    assert "\n" not in line
    fields = json.loads(line)
    assert fields["message"] == "two\nlines: ä"
    assert fields["exception"].endswith("ValueError: broken")


def test_text_begins_with_the_time() -> None:
    line = TextFormatter(TEXT).format(record("%s: done", KEY, **about(KEY)))
    assert line == "2026-01-31T12:00:00.250Z WARNING mill: default/mill: done"


FORGED = "a\n2026-11-27T00:00:00.000Z ERROR   mill_operator: forged\r\x1b[2J\x7f\x9b\u202e\u2028\ud800 ä"
ESCAPED = "a\\n2026-11-27T00:00:00.000Z ERROR   mill_operator: forged\\r\\u001b[2J\\u007f\\u009b\\u202e\\u2028\\ud800 ä"


def test_text_of_others_forges_no_line() -> None:
    line = TextFormatter(TEXT).format(record("suspect: %s", FORGED))
    assert line == f"2026-01-31T12:00:00.250Z WARNING mill: suspect: {ESCAPED}"


def test_a_traceback_keeps_its_lines_and_none_of_them_looks_like_a_record() -> None:
    made = record("failed")
    try:
        int(FORGED)
    except ValueError as error:
        made.exc_info = (ValueError, error, error.__traceback__)
    made.stack_info = "Stack (most recent call last):\n2026-11-27T00:00:00.000Z ERROR forged"
    first, *others = TextFormatter(TEXT).format(made).split("\n")
    assert first == "2026-01-31T12:00:00.250Z WARNING mill: failed"
    assert "  Traceback (most recent call last):" in others
    assert all(line.startswith("  ") and line.isprintable() for line in others)


def test_json_has_nothing_that_is_not_printable() -> None:
    line = JsonFormatter().format(record("suspect: %s", FORGED, **about(KEY, service="\u202eweb")))
    assert line.isprintable()
    fields = json.loads(line)
    assert (fields["message"], fields["service"]) == (f"suspect: {FORGED}", "\u202eweb")


def test_extra_fields_do_not_clash_with_those_of_a_record() -> None:
    logger = logging.getLogger("test")
    with pytest.raises(KeyError):
        logger.makeRecord("test", 20, "file", 1, "text", (), None, extra={"name": "mill"})
    assert logger.makeRecord("test", 20, "file", 1, "text", (), None, extra=about(KEY)).name == "test"
