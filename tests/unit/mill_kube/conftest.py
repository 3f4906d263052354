"""Reflectors list again at once after a failure."""

import pytest

from mill_kube import backoff as module


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.random, "uniform", lambda *_: 0.0)
