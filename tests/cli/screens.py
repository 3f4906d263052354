"""`mill` on a terminal, and streams whose events a test tells when it wants to."""

import queue
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hack.pictures.terminal import Terminal
from tests.cli.conftest import MILL, Mill
from tests.cli.fake_gateway import Answer, FakeGateway, as_json, event, stream

SERVICES = (
    'service "web" {\n  image = "web:1"\n}\n\nservice "old" {}\n\nservice "broken" {\n  image = "web:missing"\n}\n'
)
FAILURE = {
    "service": "broken",
    "reason": "image pull failed: tag not found",
    "code": "TagNotFound",
    "evidence": 'failed to pull and unpack image "registry.example/web:missing": not found\nsecond line',
    "suggestion": "push the tag, or name one that the registry has",
}


def on_terminal(
    mill: Mill, *arguments: str, columns: int = 80, lines: int = 24, program: str = str(MILL), **variables: str
) -> Terminal:
    """Start it, or another program that calls it, on a terminal, with the variables added to its environment."""
    return Terminal(
        program,
        *arguments,
        columns=columns,
        lines=lines,
        environment=mill.environment(**variables),
        folder=mill.folder,
    )


class Script:
    """The stream of rollout 2: what a test tells is sent at once."""

    def __init__(self) -> None:
        self._parts: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._told = 0

    def __iter__(self) -> Iterator[bytes]:
        while (part := self._parts.get(timeout=60)) is not None:
            yield part

    def tell(self, name: str, **data: Any) -> None:
        """Send an event; after `done` the stream is over."""
        self._told += 1
        self._parts.put(event(name, data, f"8ffa93a4.2.{'end' if name == 'done' else self._told}"))
        if name == "done":
            self.end()

    def phase(self, service: str, phase: str, **more: Any) -> None:
        """Tell of a service's progress."""
        self.tell("progress", service=service, phase=phase, **more)

    def end(self) -> None:
        """End the stream, or cut it off if `answer` was asked to."""
        self._parts.put(None)

    def answer(self, *, cut: bool = False, **headers: str) -> Answer:
        """Return the answer that sends it."""
        return replace(stream(cut=cut, **headers), parts=self)


def counted(gateway: FakeGateway, *services: tuple[str, str, int, int], rollout: str = "2") -> None:
    """Have the status say this of services: name, state, healthy replicas and wanted ones."""
    told = [
        {"name": name, "state": state, "replicas": {"healthy": healthy, "desired": desired}}
        for name, state, healthy, desired in services
    ]
    gateway.answers("GET", "/v1/deployments/mill", as_json({"status": {"rollout": {"id": rollout}, "services": told}}))


def announced(text: str) -> str:
    """Return what is on a screen below the line that announces the request, which a narrow screen wraps."""
    below, found = re.subn(r"\A(deploying|restarting|watching) (.|\n)*?:(\n?\d){1,5}\n", "", text)
    assert found, text
    return below


def stopped(text: str) -> str:
    """Return lines of a screen with clocks and spinners stopped."""
    spinning = re.sub(r"^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]|^[-|/\\](?= )", "*", text, flags=re.MULTILINE)
    return re.sub(r" \ds\b", " 0s", spinning)


def still(text: str) -> str:
    """Return what is on a screen below the line that announces the request, with clocks and spinners stopped."""
    return stopped(announced(text))
