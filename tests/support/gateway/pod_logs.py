"""Pods and their logs, as a test of streams sets them, and the lines that a stream shows."""

import json
from typing import Any

from tests.support.apiserver import ContainerLog
from tests.support.apiserver.logs import Log
from tests.support.gateway.objects import pod
from tests.support.gateway.served import Served

WEB = {"name": "web", "image": "web:1"}
UIDS = {"web-0": "aaaaaaaa-0000", "web-1": "bbbbbbbb-0000"}


def named_pod(name: str = "web-0", **how: Any) -> dict[str, Any]:
    """A pod by its whole name, of one of two replicas with uids that are known."""
    program, _, suffix = name.partition("-")
    made = pod(program, suffix, **how)
    made["metadata"]["uid"] = UIDS.get(name, "cccccccc-0000")
    return made


def timed_lines(*lines: tuple[int, str]) -> list[bytes]:
    """Lines as the API server sends them, by the second at which each was written."""
    return [f"2026-02-14T10:00:{second:02}Z {text}\n".encode() for second, text in lines]


def ended_log(*lines: tuple[int, str], previous: list[bytes] | None = None) -> ContainerLog:
    """Return the log of a container that writes no more."""
    return ContainerLog(timed_lines(*lines), previous, has_ended=True)


def set_logs(served: Served, **logs: ContainerLog | Log) -> None:
    """Let the API server read these logs, by pod."""
    for name, log in logs.items():
        pod_name = name.replace("_", "-")
        served.api.logs["default", pod_name] = log.read if isinstance(log, ContainerLog) else log


def shown_lines(text: str) -> list[str]:
    """The pod and the text of each line in a stream."""
    events = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: {")]
    return [f"{each['alloc']}: {each['line']}" for each in events]
