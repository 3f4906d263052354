"""The gateway serves others whatever somebody sends: odd pods, bodies, connections, tokens, slow readers."""

import concurrent.futures
import contextlib
import json
import secrets
import socket
import time

import httpx

from hack.images import push_busybox
from tests.e2e.conftest import Namespace, wait_for
from tests.e2e.gateway.conftest import StartGateway, start_gateway
from tests.e2e.gateway.process import GatewayProcess

from .accounts import DEPLOYMENTS, Rule, account
from .vitals import assert_well, peak, probed, resident

__all__ = ["start_gateway"]

MIB = 1024 * 1024


def _healthy(gateway: GatewayProcess) -> contextlib.AbstractContextManager[object]:
    return probed(f"{gateway.url}/healthz")


def test_a_quantity_that_others_write_in_another_way(namespace: Namespace, start_gateway: StartGateway) -> None:
    resources = {"requests": {"cpu": "+1m", "memory": "+1e3"}}
    container = {"name": "web", "image": f"{namespace.registry}/web:1", "resources": resources}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "odd"}, "spec": {"containers": [container]}}
    namespace.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
    wait_for("its node", lambda: namespace.get("pod", "odd")["spec"].get("nodeName"))
    gateway = start_gateway()  # which is ready, or this fails
    nodes = gateway.get("/v1/nodes")
    assert nodes.status_code == 200
    assert nodes.json()
    assert gateway.get(f"/v1/services?namespace={namespace.name}").status_code == 200


def test_a_large_body_of_somebody_without_rights(namespace: Namespace, start_gateway: StartGateway) -> None:
    gateway = start_gateway(MILL_KUBERNETES_TOKENS="on")
    nobody = account(namespace, "nobody")
    body = b'{"image":"x","command":[' + b",".join([b"1"] * 970_000) + b"]}"
    with nobody.client(gateway) as client:
        assert client.post("/v1/tasks/spawn", json={"image": "x"}).status_code == 403
        before = peak(gateway.process.pid)
        with probed(f"{gateway.url}/healthz") as seen:
            for _ in range(3):
                answer = client.post("/v1/tasks/spawn", content=body, headers={"Content-Type": "application/json"})
                assert answer.status_code in {403, 413}
                assert len(answer.content) < 1024
    assert_well(seen)
    assert seen.slowest < 2
    assert peak(gateway.process.pid) - before < 32 * MIB


def test_bodies_that_drip_after_their_answer(start_gateway: StartGateway) -> None:
    gateway = start_gateway(MILL_ADMIN_TOKEN="a-token-that-nobody-has")
    open_ones: list[socket.socket] = []
    with contextlib.ExitStack() as stack, probed(f"{gateway.url}/healthz") as seen:
        for _ in range(100):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", gateway.port), timeout=10))
            connection.sendall(b"POST /v1/deploy HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n")
            open_ones.append(connection)

        def drip() -> bool:
            for each in list(open_ones):
                try:
                    each.sendall(b"x")
                except OSError:
                    open_ones.remove(each)
            time.sleep(1)
            return not open_ones

        wait_for("the end of every connection", drip, 45)
    assert_well(seen)


def test_tokens_that_somebody_makes_up(namespace: Namespace, start_gateway: StartGateway) -> None:
    gateway = start_gateway(MILL_KUBERNETES_TOKENS="on")
    reader = account(namespace, "reader", Rule(DEPLOYMENTS, ["get", "list"]))
    path = f"/v1/deployments?namespace={namespace.name}"
    headers = {"Authorization": f"Bearer {reader.token()}"}
    assert gateway.get(path, headers).status_code == 200

    def ask(client: httpx.Client) -> int:
        made_up = {"Authorization": f"Bearer {secrets.token_hex(4000)}"}
        return client.get(path, headers=made_up).status_code

    with (
        probed(f"{gateway.url}{path}", headers) as seen,
        gateway.client(limits=httpx.Limits(max_connections=100)) as client,
        concurrent.futures.ThreadPoolExecutor(100) as pool,
    ):
        statuses = list(pool.map(lambda _: ask(client), range(400)))
    assert_well(seen)
    assert set(statuses) <= {401, 429}
    assert statuses.count(429) > 0, "there is a bound"


def test_readers_of_logs_that_take_nothing(namespace: Namespace, start_gateway: StartGateway) -> None:
    gateway = start_gateway()
    text = 'service "loud" {\n  image = "REGISTRY/busybox:1"\n  cpu = 0.05\n  command = ["sh", "-c", "%s"]\n}\n'
    script = "l=$(head -c 65000 /dev/zero | tr '\\\\0' x); while sleep 0.05; do echo $l; done"
    push_busybox(namespace.registry, "1")
    assert namespace.deploy(text % script).code == 0
    before = resident(gateway.process.pid)
    with contextlib.ExitStack() as stack, probed(f"{gateway.url}/healthz") as seen:
        for _ in range(30):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", gateway.port), timeout=10))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            path = f"/v1/logs/loud?namespace={namespace.name}"
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        time.sleep(20)  # in which more is written than may be kept
        grown = resident(gateway.process.pid) - before
    assert_well(seen)
    print(f"30 readers that take nothing: {grown / MIB:.1f} MiB")
    assert grown < 60 * MIB
