"""Log formats: text, or JSON with one object in each line.

A record about a MillDeployment carries `extra=about(…)`: fields to select by, so that no reader
has to parse messages.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Literal

from mill_objects.key import Key

Format = Literal["text", "json"]

DELETE = 0x7F
TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def about(key: Key, **fields: str | None) -> dict[str, Any]:
    """Return the `extra` of a record: namespace and name of a MillDeployment, and the fields that have a value."""
    known = {name: value for name, value in fields.items() if value}
    return {"about": {"namespace": key.namespace, "name": key.name, **known}}


def configure(level: str, format_: str) -> logging.Handler:
    """Send all records of this process to stderr, and return the handler."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if format_ == "json" else TextFormatter(TEXT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    return handler


class TextFormatter(logging.Formatter):
    """Text in which each record is one line that begins with the time in UTC.

    No other line begins so: the lines of a traceback are indented, and foreign text is escaped.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return a record's line with escapes for characters that are not printable."""
        return _escaped(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return the lines of a traceback."""
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        """Return the lines of a stack."""
        return _indented(super().formatStack(stack_info))

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802, ARG002
        """Return the time of a record."""
        return _time(record)


class JsonFormatter(logging.Formatter):
    """One JSON object in each line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as JSON. Namespace and name of its MillDeployment are fields."""
        fields = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "about", {}),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return _escaped(json.dumps(fields, ensure_ascii=False, default=str))


def _escaped(text: str) -> str:
    """Replace characters that are not printable by the escapes of JSON and Python."""
    return text if text.isprintable() else "".join(each if each.isprintable() else _escape(each) for each in text)


def _escape(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) != DELETE else "\\u007f"  # which JSON leaves as it is


def _indented(lines: str) -> str:
    return "\n".join(f"  {_escaped(line)}" for line in lines.split("\n"))


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
