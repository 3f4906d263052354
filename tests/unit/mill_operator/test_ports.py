"""Named ports: of the container, of the Service, and of Services by which they are reached from outside."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mill_api.endpoints import endpoint_of
from mill_api.owner import Owner
from mill_api.service_status import OutsideAddress, ServiceStatus
from mill_api.spec import MillDeploymentSpec, Service
from mill_api.status import MillDeploymentStatus
from mill_objects.json import Json
from mill_objects.key import Key
from mill_operator.core.objects.desired import service_recipes
from mill_operator.core.objects.pods import RenderOptions
from mill_operator.core.observed.outside import ObservedOutside, project_outside
from mill_operator.core.rollout.outside import NO_OUTSIDE_ADDRESS, refused_ports, report_outside

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OWNER = Owner(Key("shop", "mill"), "u-1")
SSH = {"name": "ssh", "number": 22, "outside": 222}
DNS = {"name": "dns", "number": 53, "protocol": "udp", "outside": 53}
METRICS = {"name": "metrics", "number": 9090}


def rendered(*ports: dict[str, Any], port: int | None = 3000, outside: bool = True) -> dict[tuple[str, str], Json]:
    service = Service.model_validate({"name": "git", "image": "gitea:1", "port": port, "ports": ports})
    endpoints = {"git": endpoint_of(service)}
    recipes = service_recipes(OWNER, service, endpoints, None, RenderOptions(outside=outside), "tls")
    return {(each.kind, each.name): each.render().body for each in recipes}


def numbers(service: Json) -> list[tuple[str, int, int, str]]:
    return [(each["name"], each["port"], each["targetPort"], each["protocol"]) for each in service["spec"]["ports"]]


def test_a_named_port_is_one_more_of_container_and_service() -> None:
    made = rendered(METRICS, {**DNS, "outside": None})
    container = made["Deployment", "git"]["spec"]["template"]["spec"]["containers"][0]
    assert [(each["name"], each["containerPort"], each["protocol"]) for each in container["ports"]] == [
        ("main", 3000, "TCP"),
        ("metrics", 9090, "TCP"),
        ("dns", 53, "UDP"),
    ]
    assert {each["name"]: each["value"] for each in container["env"]} == {"PORT": "3000"}
    assert numbers(made["Service", "git"]) == [
        ("main", 3000, 3000, "TCP"),
        ("metrics", 9090, 9090, "TCP"),
        ("dns", 53, 53, "UDP"),
    ]


def test_a_service_with_named_ports_alone_has_an_address_and_no_probe() -> None:
    made = rendered(METRICS, port=None)
    container = made["Deployment", "git"]["spec"]["template"]["spec"]["containers"][0]
    assert "readinessProbe" not in container
    assert "env" not in container
    assert numbers(made["Service", "git"]) == [("metrics", 9090, 9090, "TCP")]


def test_ports_outside_have_a_service_for_each_protocol() -> None:
    made = rendered(SSH, DNS)
    tcp, udp = made["Service", "git-outside"], made["Service", "git-outside-udp"]
    assert (tcp["spec"]["type"], numbers(tcp)) == ("LoadBalancer", [("ssh", 222, 22, "TCP")])
    assert (udp["spec"]["type"], numbers(udp)) == ("LoadBalancer", [("dns", 53, 53, "UDP")])
    assert tcp["metadata"]["ownerReferences"][0]["name"] == "mill"


def test_there_is_none_where_the_operator_does_not_allow_it() -> None:
    assert ("Service", "git-outside") not in rendered(SSH, outside=False)
    spec = MillDeploymentSpec.model_validate({"services": [{"name": "git", "image": "gitea:1", "ports": [SSH]}]})
    (problem,) = refused_ports(spec)
    assert str(problem).startswith("service.git.port.ssh.outside: load balancers are off in this cluster")


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ({"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}, "192.0.2.7"),
        ({"loadBalancer": {"ingress": [{"hostname": "lb.example.com", "ip": "192.0.2.7"}]}}, "lb.example.com"),
        ({"loadBalancer": {}}, ""),
        ({"loadBalancer": {"ingress": ["x", {"ip": 5}]}}, ""),
        ({}, ""),
    ],
)
def test_an_address_is_what_a_load_balancer_has_given(given: Json, host: str) -> None:
    spec = {"type": "LoadBalancer", "ports": [{"name": "ssh", "port": 222}]}
    assert project_outside(spec, given) == ObservedOutside((("ssh", 222),), host)
    assert project_outside({"type": "ClusterIP"}, given) is None


class Child:
    """What the report reads of an observed Service."""

    def __init__(self, host: str, age: timedelta) -> None:
        self.key, self.service, self.terminating = Key("shop", "git-outside"), "git", False
        self.created = NOW - age
        self.outside = ObservedOutside((("ssh", 222),), host)


def report(host: str, age: timedelta) -> Any:
    status = MillDeploymentStatus(services=[ServiceStatus(name="git")])
    return report_outside(status, [Child(host, age)], NOW)  # type: ignore[list-item]


def test_an_address_is_shown_and_none_is_a_warning_after_a_while() -> None:
    found = report("192.0.2.7", timedelta(0))
    assert found.status.services[0].outside == [OutsideAddress(port="ssh", address="192.0.2.7:222")]
    assert found.status.warnings == []
    assert report("2001:db8::7", timedelta(0)).status.services[0].outside[0].address == "[2001:db8::7]:222"
    early = report("", timedelta(seconds=20))
    assert (early.status.warnings, early.wake_at) == ([], NOW + timedelta(seconds=40))
    late = report("", timedelta(minutes=2))
    assert [each.code for each in late.status.warnings] == [NO_OUTSIDE_ADDRESS]
