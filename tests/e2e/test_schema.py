"""Every rule of the schema on the real API server: what it accepts, and what it refuses in which words."""

import json
from typing import Any

import pytest

from .conftest import Namespace

WEB = {"name": "web", "image": "registry.example/web:1", "port": 8080}
TASK = {"name": "migrate", "image": "registry.example/web:1"}
PERSISTENT = {"name": "data", "path": "/data", "size": "1Gi"}


def service(**fields: Any) -> dict[str, Any]:
    return {"services": [{**WEB, **fields}]}


def task(**fields: Any) -> dict[str, Any]:
    return {"tasks": [{**TASK, **fields}]}


ACCEPTED = {
    "nothing": {},
    "a service": service(),
    "a service without a port": {"services": [{"name": "worker", "image": "worker"}]},
    "no replicas": service(replicas=0),
    "whole cores as a number": service(cpu=2, memory=256000000),
    "cores as text": service(cpu="0.5", memory="1.5Gi"),
    "health": service(health={"path": "/", "interval": "1m30s", "failureThreshold": 1}),
    "a start time alone": service(health={"start": "1h"}),
    "a start time beside a check": service(health={"path": "/", "interval": "5s", "start": "1ms"}),
    "a time to settle": service(update={"settle": "5m"}),
    "no time to settle": service(update={"settle": "0s"}),
    "after others": service(after=["db", "queue"]),
    "200 services after 50 others": {
        "services": [
            {**WEB, "name": f"web-{n}", "after": [f"web-{each}" for each in range(50) if each != n]} for n in range(200)
        ]
    },
    "routes": service(routes=[{"host": "a.example"}, {"host": "a.example", "path": "/b"}, {"host": "*.b.example"}]),
    "a persistent volume with one replica": service(replicas=1, volumes=[PERSISTENT]),
    "an ephemeral volume with many replicas": service(
        replicas=5, volumes=[{"name": "tmp", "path": "/tmp", "ephemeral": True}]
    ),
    "environment and command": service(env={"A.b-c_1": "", "B": "${secret(x)}"}, command=[]),
    "the longest names": {"services": [{**WEB, "name": "a" * 63}], "tasks": [{**TASK, "name": "a" * 52}]},
    "a task": task(timeout="0s", cpu="1", memory="1G"),
    "200 services": {"services": [{**WEB, "name": f"web-{n}"} for n in range(200)]},
}

REFUSED = {
    "no name": ({"services": [{"image": "web"}]}, "services[0].name: Required value"),
    "no image": ({"services": [{"name": "web"}]}, "services[0].image: Required value"),
    "an empty image": (service(image=""), "services[0].image"),
    "an image with a space": (service(image="a b"), "'a b' is not an image reference"),
    "a capital letter": (service(name="Web"), "'Web' is not a service name"),
    "a leading digit": (service(name="1web"), "'1web' is not a service name"),
    "a trailing hyphen": (service(name="web-"), "'web-' is not a service name"),
    "a name that is too long": (service(name="a" * 64), "services[0].name"),
    "the same name twice": ({"services": [WEB, WEB]}, "Duplicate value"),
    "port 0": (service(port=0), "services[0].port"),
    "port 65536": (service(port=65536), "services[0].port"),
    "port as text": (service(port="80"), "services[0].port"),
    "replicas below 0": (service(replicas=-1), "services[0].replicas"),
    "too many replicas": (service(replicas=1001), "services[0].replicas"),
    "memory that is no quantity": (service(memory="lots"), "services[0].memory"),
    "a negative quantity": (service(cpu="-1"), "services[0].cpu"),
    "a health path without a slash": (
        service(health={"path": "healthz"}),
        "health path must start with '/', got 'healthz'",
    ),
    "an interval without a unit": (service(health={"path": "/", "interval": "10"}), "invalid duration '10'"),
    "a failure threshold of 0": (service(health={"path": "/", "failureThreshold": 0}), "health.failureThreshold"),
    "a health block without anything": (
        service(health={}),
        "a health block needs a path, a command, gRPC, a port or a start time",
    ),
    "an interval beside a start time alone": (
        service(health={"start": "1m", "interval": "5s"}),
        "interval and failure_threshold need a check",
    ),
    "a start time of nothing": (
        service(health={"start": "0s"}),
        "start must be longer than 0s and at most 1h, got '0s'",
    ),
    "a start time that is too long": (
        service(health={"start": "1h1s"}),
        "start must be longer than 0s and at most 1h, got '1h1s'",
    ),
    "a time to settle that is too long": (
        service(update={"settle": "301s"}),
        "settle must be at most 5m, got '301s'",
    ),
    "a time to settle without a unit": (service(update={"settle": "10"}), "invalid duration '10'"),
    "another port in PORT": (
        service(port=8080, env={"PORT": "4000"}),
        "PORT contradicts `port`, whose value the program gets in PORT",
    ),
    "after itself": (service(after=["web"]), "a service cannot start after itself"),
    "after the same twice": (service(after=["db", "db"]), "Duplicate value"),
    "after what is no name": (service(after=["Db"]), "services[0].after[0]"),
    "after too many": (service(after=[f"s{n}" for n in range(51)]), "must have at most 50 items"),
    "health without a port": (
        {"services": [{"name": "web", "image": "web", "health": {"path": "/"}}]},
        "a health check needs a port",
    ),
    "a route without a port": (
        {"services": [{"name": "web", "image": "web", "routes": [{"host": "a.example"}]}]},
        "a route needs a port",
    ),
    "a host with an underscore": (service(routes=[{"host": "a_b.example"}]), "routes[0].host"),
    "a route path without a slash": (
        service(routes=[{"host": "a.example", "path": "b"}]),
        "path must start with '/', got 'b'",
    ),
    "the same route twice": (service(routes=[{"host": "a.example"}, {"host": "a.example"}]), "Duplicate value"),
    "a persistent volume without a size": (
        service(volumes=[{"name": "data", "path": "/data"}]),
        "persistent volume must have a size",
    ),
    "a persistent volume with two replicas": (
        service(replicas=2, volumes=[PERSISTENT]),
        "a persistent volume allows one replica",
    ),
    "a relative volume path": (
        service(volumes=[{**PERSISTENT, "path": "data"}]),
        "path must start with '/', got 'data'",
    ),
    "a volume name with a capital": (service(volumes=[{**PERSISTENT, "name": "Data"}]), "'Data' is not a volume name"),
    "the same volume twice": (service(volumes=[PERSISTENT, PERSISTENT]), "Duplicate value"),
    "a number in the environment": (service(env={"A": 1}), "services[0].env.A"),
    "a command that is no list": (service(command="ls"), "services[0].command"),
    "a task name with a capital": (task(name="Migrate"), "'Migrate' is not a task name"),
    "a task name that is too long": (task(name="a" * 53), "tasks[0].name"),
    "a task's time-out without a unit": (task(timeout="10"), "invalid duration '10'"),
    "a task before and after services": (
        task(before=["web"], after=["db"]),
        "a task runs before services or after some",
    ),
    "a task before a service on a schedule": (
        task(before=["web"], schedule="@daily"),
        "a task runs in rollouts or on a schedule",
    ),
    "a task after a service on a schedule": (
        task(after=["web"], schedule="@daily"),
        "a task runs in rollouts or on a schedule",
    ),
    "201 services": ({"services": [{**WEB, "name": f"web-{n}"} for n in range(201)]}, "must have at most 200 items"),
}


def _body(spec: dict[str, Any], name: str = "mill") -> dict[str, Any]:
    return {"apiVersion": "mill.dev/v1alpha1", "kind": "MillDeployment", "metadata": {"name": name}, "spec": spec}


def _create(namespace: Namespace, spec: dict[str, Any], name: str = "mill") -> tuple[int, str]:
    command = namespace.cluster.kubectl_command("-n", namespace.name, "create", "--dry-run=server", "-f", "-")
    done = namespace.run(*command, stdin=json.dumps(_body(spec, name)), check=False)
    return done.code, done.stderr


@pytest.mark.parametrize("spec", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(shared: Namespace, spec: dict[str, Any]) -> None:
    assert _create(shared, spec) == (0, "")


@pytest.mark.parametrize(("spec", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(shared: Namespace, spec: dict[str, Any], words: str) -> None:
    code, error = _create(shared, spec)
    assert code == 1
    assert words in error


def test_the_resources_own_name_is_a_label_too(shared: Namespace) -> None:
    assert _create(shared, {}, "a" * 63) == (0, "")
    code, error = _create(shared, {}, "a" * 64)
    assert code == 1
    assert "at most 63 characters" in error


def test_an_unknown_field_is_named(shared: Namespace) -> None:
    code, error = _create(shared, service(prot=80))
    assert code == 1
    assert 'unknown field "spec.services[0].prot"' in error


def test_defaults_are_filled_in_and_an_unseen_resource_is_not_healthy(shared: Namespace) -> None:
    body = {
        "apiVersion": "mill.dev/v1alpha1",
        "kind": "MillDeployment",
        "metadata": {"name": "mill"},
        "spec": service(),
    }
    answer = shared.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(body))
    made = json.loads(answer)
    assert made["spec"]["services"][0]["memory"] == "256M"
    assert made["spec"]["services"][0]["cpu"] == "250m"
    assert made["status"] == {"observedGeneration": -1}


def test_explain_reads_well(shared: Namespace) -> None:
    words = shared.kubectl("explain", "md.spec.services.health")
    assert "Health check" in words
    for field in ("path", "interval", "failureThreshold"):
        assert field in words


@pytest.mark.parametrize("name", ["md", "mill", "milldeployments", "milldeployments.mill.dev"])
def test_every_name_of_the_kind_works(shared: Namespace, name: str) -> None:
    assert shared.kubectl("get", name, "-o", "name") == ""
