"""Records as text and as JSON."""

import json
import logging

import pytest

from mill_api.key import Key
from mill_api.logs import TEXT, JsonFormatter, TextFormatter, about

KEY = Key("default", "mill")


def record(message: str, *arguments: object, failed: bool = False, **extra: object) -> logging.LogRecord:
    error = (ValueError, ValueError("broken"), None) if failed else None
    made = logging.makeLogRecord({"name": "mill", "levelno": 30, "levelname": "WARNING", "msg": message, **extra})
    made.args, made.created, made.exc_info = arguments, 1_769_860_800.2504, error
    return made


def test_json_has_the_fields_that_say_what_it_is_about() -> None:
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


def test_what_a_record_is_about_does_not_clash_with_its_own_fields() -> None:
    logger = logging.getLogger("test")
    with pytest.raises(KeyError):
        logger.makeRecord("test", 20, "file", 1, "text", (), None, extra={"name": "mill"})
    assert logger.makeRecord("test", 20, "file", 1, "text", (), None, extra=about(KEY)).name == "test"
