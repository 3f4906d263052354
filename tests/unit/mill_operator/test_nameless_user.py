"""The user of the process has no name where a platform assigns it, as OpenShift does."""

import getpass
import logging
from typing import Any

import kopf
import pytest

from mill_operator import process


def test_the_operator_starts_as_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 1000680000")

    started: list[Any] = []

    def start(**options: Any) -> None:
        started.append(options.get("identity") or getpass.getuser())

    monkeypatch.setattr(getpass, "getuser", nameless)
    monkeypatch.setattr(kopf, "run", start)
    monkeypatch.setattr(process, "_listen", lambda _: [])
    monkeypatch.setattr(process.logs, "configure", lambda *_: logging.NullHandler())
    process.run([])
    assert started == ["mill-operator"]
