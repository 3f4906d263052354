"""Named ports on the cluster: a second TCP port, UDP, and ports outside."""

import json
import socket

import pytest

from tests.e2e.faults.operator_process import OperatorProcess

from .conftest import Namespace, wait_for

FILE = """
service "app" {
  image = "REGISTRY/standin:1"
  port  = 8080
  cpu   = 0.02

  env = { STANDIN_PORTS = "9000/tcp 9001/udp" }

  port "tcp" { number = 9000 }

  port "echo" {
    number   = 9001
    protocol = "udp"
  }
}

service "reader" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
  env   = { TARGET = "${service.app.tcp.address}" }
}
"""
OUTSIDE = """
service "app" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02

  port "public" {
    number  = 8080
    outside = 80
  }
}
"""


def test_a_second_port_and_udp_are_reached_through_the_service(namespace: Namespace) -> None:
    done = namespace.deploy(FILE)
    assert done.code == 0, done
    service = namespace.get("service", "app")
    assert {each["name"]: (each["port"], each["protocol"]) for each in service["spec"]["ports"]} == {
        "main": (8080, "TCP"),
        "tcp": (9000, "TCP"),
        "echo": (9001, "UDP"),
    }
    address = service["spec"]["clusterIP"]
    with socket.create_connection((address, 9000), timeout=10):
        pass
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(2)

        def echoed() -> bool:
            asking.sendto(b"hello", (address, 9001))
            try:
                return asking.recv(64) == b"hello"
            except TimeoutError:
                return False

        wait_for("the echo", echoed)
    (env,) = [
        each["value"]
        for each in namespace.get("deployment", "reader")["spec"]["template"]["spec"]["containers"][0]["env"]
        if each["name"] == "TARGET"
    ]
    assert env == f"app.{namespace.name}.svc:9000"


def test_ports_outside_are_refused_whole_where_load_balancers_are_off(namespace: Namespace) -> None:
    done = namespace.deploy(OUTSIDE)
    assert done.code == 1
    assert "service.app.port.public.outside: load balancers are off in this cluster" in done.stdout + done.stderr
    assert namespace.get("deployment", "app") == {}
    assert json.loads(namespace.kubectl("get", "services", "-o", "json"))["items"] == []


@pytest.mark.alone
def test_an_address_outside_is_shown_once_a_load_balancer_has_given_it(namespace: Namespace) -> None:
    operator = OperatorProcess(namespace.cluster)
    try:
        operator.start({"MILL_OUTSIDE": "true"})
        assert namespace.deploy(OUTSIDE).code == 0
        balancer = namespace.get("service", "app-outside")["spec"]
        assert (balancer["type"], [each["port"] for each in balancer["ports"]]) == ("LoadBalancer", [80])
        # The cluster has no load balancer: its part is played by kubectl.
        given = json.dumps({"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}})
        namespace.kubectl("patch", "service", "app-outside", "--subresource=status", "--type=merge", "-p", given)
        address = "192.0.2.7:80"
        wait_for(
            "the address",
            lambda: namespace.service("app").get("outside") == [{"port": "public", "address": address}],
        )
        assert address in namespace.mill("status").stdout
        assert namespace.condition("Ready")["status"] == "True"
    finally:
        operator.restore()
