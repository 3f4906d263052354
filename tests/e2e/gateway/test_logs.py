"""Logs on the real cluster: all replicas, restarts, runs, and readers that come back."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import httpx
import pytest
from httpx_sse import connect_sse

from hack import images
from tests.e2e.conftest import Namespace, wait_for
from tests.support import server_sent

from .conftest import StartGateway
from .process import GatewayProcess

WEB = """
service "web" {
  image    = "REGISTRY/web:1"
  port     = 8080
  replicas = 2
  cpu      = 0.02
  command  = ["/web", "-print", "hello"]
}
"""
CRASHING = """
service "crashing" {
  image   = "REGISTRY/web:1"
  cpu     = 0.02
  command = ["/web", "-no-listen", "-print", "last words", "-exit-after", "2s"]
}
"""
TASK = """
task "migrate" {
  image   = "REGISTRY/web:1"
  cpu     = 0.02
  command = ["/web", "-no-listen", "-print", "migrating", "-exit-after", "3s", "-exit-code", "0"]
}
"""
SCRIPT = """
print() { for n in $(seq 2000); do echo $1-$n; done; }
print out & print err >&2
wait
head -c 100000 /dev/zero | tr '\\0' x
"""
TALKATIVE = f"""
task "talkative" {{
  image   = "REGISTRY/busybox:1"
  cpu     = 0.02
  command = ["sh", "-c", {json.dumps(SCRIPT)}]
}}
"""


def _deploy(http: httpx.Client, namespace: Namespace, text: str) -> None:
    content = text.replace("REGISTRY", namespace.registry)
    assert http.post("/v1/deploy", params={"namespace": namespace.name}, content=content).status_code == 200


def _read(
    url: str, namespace: str, name: str, last: str | None = None, **query: str
) -> list[tuple[dict[str, Any], str]]:
    """Read a stream that ends: each line's record and id."""
    headers = {"Last-Event-ID": last} if last else {}
    parameters = {"namespace": namespace, "follow": "false", **query}
    with (
        httpx.Client(base_url=url, timeout=30) as client,
        connect_sse(client, "GET", f"/v1/logs/{name}", params=parameters, headers=headers) as stream,
    ):
        return [(json.loads(each.data), each.id) for each in server_sent.events(stream)]


class Follower:
    """Follows a stream in the background, and comes back by its last event's id when it is cut off."""

    def __init__(self, url: str, namespace: str, name: str) -> None:
        self.lines: list[tuple[str, str]] = []
        self.cuts = 0
        self.ended = False
        self._where = url, namespace, name
        self._last = ""
        self._left = False
        self.thread = Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        url, namespace, name = self._where
        while not self._left and not self.ended:
            headers = {"Last-Event-ID": self._last} if self._last else {}
            try:
                with (
                    httpx.Client(base_url=url, timeout=60) as client,
                    connect_sse(client, "GET", f"/v1/logs/{name}?namespace={namespace}", headers=headers) as stream,
                ):
                    for event in server_sent.events(stream):
                        record = json.loads(event.data)
                        self.lines.append((record["alloc"], record["line"]))
                        self._last = event.id
                        if self._left:
                            return
                self.ended = True
            except httpx.HTTPError:
                self.cuts += 1
                time.sleep(0.1)

    def leave(self) -> None:
        self._left = True


@contextmanager
def following(gateway: GatewayProcess, namespace: Namespace, name: str) -> Iterator[Follower]:
    """Follow logs while the block runs."""
    follower = Follower(gateway.url, namespace.name, name)
    try:
        yield follower
    finally:
        follower.leave()


def test_all_replicas_are_read_and_a_reader_comes_back(namespace: Namespace, gateway: GatewayProcess) -> None:
    with gateway.client() as http:
        _deploy(http, namespace, WEB)
    told = _read(gateway.url, namespace.name, "web")
    pods = {pod["metadata"]["name"] for pod in namespace.pods("web")}
    assert {record["alloc"] for record, _ in told if record["line"] == "hello"} == pods
    assert len(pods) == 2
    assert {record["stream"] for record, _ in told} == {"stdout"}
    times = [record["ts"] for record, _ in told]
    assert times == sorted(times)
    for number, (_, last) in enumerate(told, start=1):
        rest = _read(gateway.url, namespace.name, "web", last)
        assert sorted(record["line"] for record, _ in rest) == sorted(record["line"] for record, _ in told[number:])
    (one, *_) = pods
    assert {record["alloc"] for record, _ in _read(gateway.url, namespace.name, one)} == {one}
    assert _read(gateway.url, namespace.name, "web", tail="0") == []


def test_a_reader_loses_nothing_when_the_gateway_is_killed_and_new_replicas_join(
    namespace: Namespace, start_gateway: StartGateway
) -> None:
    gateway = start_gateway()
    with gateway.client() as http:
        _deploy(http, namespace, WEB)
        before = {pod["metadata"]["name"] for pod in namespace.pods("web")}
        with following(gateway, namespace, "web") as follower:
            wait_for("both replicas", lambda: {pod for pod, line in follower.lines if line == "hello"} == before)
            gateway.kill()
            gateway.start()
            gateway.wait_until_ready()
            _deploy(http, namespace, WEB.replace("hello", "hello again"))
            wait_for(
                "the new replicas", lambda: [line for _, line in follower.lines].count("hello again") == 2, seconds=60
            )
            assert follower.cuts >= 1
    for pod in before:
        assert [each for each in follower.lines if each == (pod, "hello")] == [(pod, "hello")], "nothing twice"


def test_the_last_words_of_a_container_stay_after_its_restart(namespace: Namespace, gateway: GatewayProcess) -> None:
    with gateway.client() as http:
        _deploy(http, namespace, CRASHING)

    def restarted() -> bool:
        return any(
            each["restartCount"] >= 1 and "running" in each["state"]
            for pod in namespace.pods("crashing")
            for each in pod["status"].get("containerStatuses", ())
        )

    wait_for("a restart", restarted)

    def told() -> bool:
        """Both containers' words; while it waits for its next restart there is only one to read."""
        records = [record for record, _ in _read(gateway.url, namespace.name, "crashing")]
        return len([each for each in records if each["line"] == "last words"]) >= 2 and any(
            each.get("previous") for each in records
        )

    wait_for("the words of both containers", told, seconds=120)


def test_a_container_that_waits_for_its_restart_is_read_once(namespace: Namespace, gateway: GatewayProcess) -> None:
    with gateway.client() as http:
        _deploy(http, namespace, CRASHING)

    def waits() -> bool:
        return any(
            each["restartCount"] >= 1 and "waiting" in each["state"]
            for pod in namespace.pods("crashing")
            for each in pod["status"].get("containerStatuses", ())
        )

    wait_for("its waiting", waits)
    told = _read(gateway.url, namespace.name, "crashing")
    assert [record["line"] for record, _ in told][:1] == ["last words"]
    assert len(told) == 2, "these, and that it exits"


def test_both_outputs_come_whole_whoever_comes_back(namespace: Namespace, gateway: GatewayProcess) -> None:
    """Their lines are not in the order of their times; nor is a line of any length kept whole."""
    images.push_busybox(namespace.registry, "1")
    with gateway.client() as http:
        _deploy(http, namespace, TALKATIVE)
        where = {"namespace": namespace.name}
        run = http.post("/v1/tasks/spawn", params=where, json={"task": "talkative"}).json()["id"]
        with following(gateway, namespace, run) as follower:
            wait_for("its end", lambda: follower.ended, seconds=40)
    told = _read(gateway.url, namespace.name, run, tail="10000")
    lines = [record["line"] for record, _ in told]
    for output in ("out", "err"):
        assert [each for each in lines if each.startswith(output)] == [f"{output}-{n}" for n in range(1, 2001)]
    assert lines[-1].startswith("xxx")
    assert lines[-1].endswith("… (cut)")
    assert len(lines[-1]) < 65_600
    for number in range(1, len(told), 599):
        rest = _read(gateway.url, namespace.name, run, told[number - 1][1])
        assert [record["line"] for record, _ in rest] == lines[number:]


def test_a_run_is_followed_to_its_end(namespace: Namespace, gateway: GatewayProcess) -> None:
    with gateway.client() as http:
        _deploy(http, namespace, TASK)
        where = {"namespace": namespace.name}
        run = http.post("/v1/tasks/spawn", params=where, json={"task": "migrate"}).json()["id"]
        with following(gateway, namespace, run) as follower:
            wait_for("its end", lambda: follower.ended, seconds=40)
        assert "migrating" in [line for _, line in follower.lines]
        assert follower.cuts == 0
        by_task = _read(gateway.url, namespace.name, "migrate")
        assert [record["line"] for record, _ in by_task] == [line for _, line in follower.lines]


def test_what_nothing_is_called_is_one_event_as_in_the_original(namespace: Namespace, http: httpx.Client) -> None:
    answer = http.get("/v1/logs/nope", params={"namespace": namespace.name})
    assert answer.status_code == 200
    assert answer.text == "event: error\r\ndata: no allocations found for 'nope'\r\n\r\n"


@pytest.mark.parametrize("readers", [30])
def test_who_leaves_is_not_read_for(namespace: Namespace, start_gateway: StartGateway, readers: int) -> None:
    """Connections, as the kernel counts them: one of each reader, and one of each log that is read for it."""
    gateway = start_gateway()
    with gateway.client() as http:
        _deploy(http, namespace, WEB)

    def connections() -> int:
        return len(list(_sockets(f"/proc/{gateway.process.pid}/fd")))

    before = connections()
    clients = [httpx.Client(base_url=gateway.url, timeout=30) for _ in range(readers)]
    streams = [
        each.send(each.build_request("GET", f"/v1/logs/web?namespace={namespace.name}"), stream=True)
        for each in clients
    ]
    try:
        wait_for("the reading", lambda: connections() > before + 2 * readers)
    finally:
        for stream, client in zip(streams, clients, strict=True):
            stream.close()
            client.close()
    # Some connections to the API server stay open for those who come next.
    wait_for("the end of the reading", lambda: connections() < before + readers)


def _sockets(folder: str) -> Iterator[str]:
    import os

    for each in os.listdir(folder):  # noqa: PTH208 - files of another process, which come and go
        try:
            target = os.readlink(f"{folder}/{each}")  # noqa: PTH115
        except OSError:
            continue
        if target.startswith("socket:"):
            yield target
