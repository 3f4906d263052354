"""Answers of a gateway, as the command line's client reads them."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from mill_cli.connection.direct import uncompressed
from mill_cli.connection.transport import Answer, HttpRequest


def answer(*parts: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """Return an answer; the names of its headers are in small letters."""
    given = headers or {}
    encoding = given.get("content-encoding", "")
    return Answer(status, given, "http://gateway.example/v1", lambda: uncompressed(iter(parts), encoding))


def json_answer(status: int, value: Any) -> Answer:
    """Return an answer in JSON."""
    return answer(json.dumps(value).encode(), status=status, headers={"content-type": "application/json"})


class ScriptedClient:
    """A client that gives these answers in turn, or raises them, and keeps what it was asked."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self._answers = iter(answers)
        self.asked: list[HttpRequest] = []

    @contextlib.contextmanager
    def send(self, request: HttpRequest, read_seconds: float) -> Iterator[Answer]:
        """Give the next answer."""
        self.asked.append(request)
        given = next(self._answers)
        if isinstance(given, Exception):
            raise given
        yield given

    def close(self) -> None:
        """Nothing is open."""
