"""Streams that survive: gateways that are killed, readers that change replicas, deploys that overtake each other."""

import json
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import Any

import httpx
from httpx_sse import connect_sse
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.conftest import Namespace, wait_for
from tests.support import server_sent

from .conftest import StartGateway
from .process import GatewayProcess

SLOW = """
service "slow" {
  image   = "REGISTRY/web:1"
  port    = 8080
  cpu     = 0.02
  command = ["/web", "-ready-after", "6s"]
  health { path = "/healthz" }
}
service "broken" {
  image = "REGISTRY/web:missing"
  port  = 8080
  cpu   = 0.02
}
"""
WEB = 'service "web" {\n  image = "REGISTRY/web:1"\n  port = 8080\n  cpu = 0.02\n  env { VERSION = "1" }\n}\n'

Told = list[tuple[str, str, dict[str, Any]]]


class Reader:
    """Reads a stream in the background: id, name and data of each event."""

    def __init__(self, url: str, method: str = "GET", content: str = "", last: str = "") -> None:
        self.told: Told = []
        self.cut = False
        self.status = 0
        self.connected = Event()
        self._request = (method, url, content, {"Last-Event-ID": last} if last else {})
        self.thread = Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        method, url, content, headers = self._request
        try:
            with (
                httpx.Client(timeout=90) as client,
                connect_sse(client, method, url, content=content, headers=headers) as stream,
            ):
                self.status = stream.response.status_code
                self.connected.set()
                for event in server_sent.events(stream):
                    self.told.append((event.id, event.event, json.loads(event.data)))
        except httpx.HTTPError:
            self.cut = True

    def to_the_end(self) -> Told:
        self.thread.join(timeout=90)
        assert not self.thread.is_alive()
        return self.told

    @property
    def failed(self) -> bool:
        return any(name == "failed" for _, name, _ in self.told)


def _deploy(gateway: GatewayProcess, namespace: Namespace, text: str) -> Reader:
    url = f"{gateway.url}/v1/deploy?namespace={namespace.name}&replaceAll=true"
    return Reader(url, "POST", text.replace("REGISTRY", namespace.registry))


def _events(gateway: GatewayProcess, namespace: Namespace) -> str:
    return f"{gateway.url}/v1/deployments/mill/events?namespace={namespace.name}"


def test_a_gateway_that_is_killed_in_the_middle_loses_nothing(
    namespace: Namespace, start_gateway: StartGateway
) -> None:
    gateway = start_gateway()
    first = _deploy(gateway, namespace, SLOW)
    wait_for("the failure", lambda: first.failed)
    gateway.kill()
    first.thread.join(timeout=10)
    assert first.cut, "a stream that is cut off must not look complete"
    gateway.start()
    gateway.wait_until_ready()
    rest = Reader(_events(gateway, namespace), last=first.told[-1][0]).to_the_end()
    whole = Reader(_events(gateway, namespace)).to_the_end()
    assert first.told + rest == whole
    assert [name for _, name, _ in whole].count("done") == 1
    assert whole[-1][2]["success"] is False


def test_a_clean_stop_cuts_streams_off_and_any_replica_goes_on(
    namespace: Namespace, start_gateway: StartGateway
) -> None:
    one, other = start_gateway(), start_gateway()
    first = _deploy(one, namespace, SLOW)
    wait_for("the failure", lambda: first.failed)
    one.stop()
    first.thread.join(timeout=10)
    assert first.cut
    assert " ERROR " not in one.log
    rest = Reader(_events(other, namespace), last=first.told[-1][0]).to_the_end()
    assert first.told + rest == Reader(_events(other, namespace)).to_the_end()


def test_the_rollout_goes_on_without_any_client(namespace: Namespace, gateway: GatewayProcess) -> None:
    content = WEB.replace("REGISTRY", namespace.registry)
    with gateway.client() as client:
        with client.stream("POST", f"/v1/deploy?namespace={namespace.name}", content=content) as answer:
            assert answer.status_code == 200
        wait_for("the rollout's end", lambda: namespace.status().get("rollout", {}).get("success") is True)


def test_two_gateways_tell_the_same_with_the_same_ids(namespace: Namespace, start_gateway: StartGateway) -> None:
    one, other = start_gateway(), start_gateway()
    first = _deploy(one, namespace, SLOW)
    first.connected.wait(20)
    second = Reader(_events(other, namespace))  # at once: the other one may not know of it yet
    assert first.to_the_end() == second.to_the_end() != []


def test_the_last_writer_wins_and_the_other_stream_ends_as_superseded(
    namespace: Namespace, gateway: GatewayProcess
) -> None:
    first = _deploy(gateway, namespace, SLOW)
    first.connected.wait(20)
    wait_for("its failure", lambda: first.failed)
    second = _deploy(gateway, namespace, WEB)
    told = first.to_the_end()
    assert told[-2][1:] == ("failed", {"reason": "superseded by generation 2"})
    assert (told[-1][1], told[-1][2]["success"]) == ("done", False)
    assert second.to_the_end()[-1][2]["success"] is True
    services = namespace.get("milldeployment", "mill")["spec"]["services"]
    assert [each["name"] for each in services] == ["web"]


def test_many_who_deploy_at_once_all_get_an_end_and_one_wins(namespace: Namespace, gateway: GatewayProcess) -> None:
    def deploy(number: int) -> Reader:
        return _deploy(gateway, namespace, WEB.replace('VERSION = "1"', f'VERSION = "{number}"'))

    with ThreadPoolExecutor(20) as pool:
        readers = list(pool.map(deploy, range(20)))
        ends = [each.to_the_end() for each in readers]
    assert {each.status for each in readers} == {200}
    assert all(told[-1][1] == "done" for told in ends)
    (service,) = namespace.get("milldeployment", "mill")["spec"]["services"]
    assert [str(number) for number, told in enumerate(ends) if told[-1][2]["success"]] == [service["env"]["VERSION"]]
    reasons = {data.get("reason", "") for told in ends for _, name, data in told if name == "failed"}
    assert all(reason.startswith("superseded by ") for reason in reasons)
    assert len({told[-1][0] for told in ends}) == 20, "each hears of its own rollout"


def test_a_deployment_that_is_deleted_ends_its_streams(namespace: Namespace, gateway: GatewayProcess) -> None:
    first = _deploy(gateway, namespace, SLOW)
    first.connected.wait(20)
    wait_for("its failure", lambda: first.failed)
    namespace.kubectl("delete", "milldeployment", "mill", "--wait=false")
    told = first.to_the_end()
    assert [data for _, _, data in told[-2:]] == [
        {"reason": "the deployment was deleted"},
        {"elapsed": 0.0, "success": False},
    ]
    again = Reader(_events(gateway, namespace), last=told[0][0])
    again.thread.join(timeout=20)
    assert again.told == []


def test_a_stream_that_has_nothing_to_tell_shows_that_it_is_alive(
    namespace: Namespace, gateway: GatewayProcess
) -> None:
    slow = SLOW.replace("6s", "20s").replace("web:missing", "web:1")
    content = slow.replace("REGISTRY", namespace.registry)
    path = f"/v1/deploy?namespace={namespace.name}"
    with gateway.client() as client, client.stream("POST", path, content=content) as answer:
        text = answer.read().decode()
    comments = [line for line in text.splitlines() if line.startswith(":")]
    assert comments, "no heartbeat in twenty seconds"
    assert '"success": true' in text


def test_readers_that_leave_or_do_not_read_leave_nothing_and_disturb_nobody(
    namespace: Namespace, start_gateway: StartGateway
) -> None:
    gateway = start_gateway()
    first = _deploy(gateway, namespace, SLOW)
    first.connected.wait(20)
    request = f"GET /v1/deployments/mill/events?namespace={namespace.name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    connections = [socket.create_connection(("127.0.0.1", gateway.port), timeout=20) for _ in range(300)]
    try:
        for each in connections:
            each.sendall(request)
        wait_for("the streams", lambda: _open_streams(gateway) >= 300)
        for each in connections[:150]:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, not an end
            each.close()
        wait_for("those who left to be gone", lambda: _open_streams(gateway) <= 151)
        assert first.to_the_end()[-1][1] == "done"
    finally:
        for each in connections:
            each.close()
    wait_for("all to be gone", lambda: _open_streams(gateway) == 0)


def _open_streams(gateway: GatewayProcess) -> float:
    for family in text_string_to_metric_families(gateway.get("/v1/metrics").text):
        for sample in family.samples:
            if sample.name == "mill_gateway_streams" and sample.labels["kind"] == "rollout":
                return sample.value
    return 0
