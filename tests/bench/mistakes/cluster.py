"""Mistakes with what is deployed already, and what other hands do to it."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from tests.bench.command import Line, Timed
from tests.bench.mistakes.mistake import FILE, Chapter, Mistake, Place, Run, web
from tests.e2e.conftest import wait_for

_RESOURCE: Final = """apiVersion: mill.dev/v1alpha1
kind: MillDeployment
metadata:
  name: mill
spec:
  services:
    - name: web
      image: REGISTRY/web:1
      {line}
"""
_STARTS_SLOWLY: Final = web('command = ["/web", "--no-listen"]')


def _after(before: str, text: str, *options: str) -> Run:
    """Return the deploy of a file after that of another one."""

    def run(place: Place) -> Timed:
        place.deploy(before)
        place.write(FILE, text)
        return place.mill("deploy", FILE, "--verbose", *options)

    return run


def _beside_a_deployment(place: Place) -> Timed:
    place.namespace.kubectl("create", "deployment", "web", f"--image={place.namespace.registry}/web:1")
    place.write(FILE, web())
    return place.mill("deploy", FILE, "--verbose")


def _put_back(*argv: str) -> Run:
    """Return a change by kubectl, and the Event about it."""

    def run(place: Place) -> Timed:
        place.deploy(web("replicas = 2"))
        began = time.monotonic()
        done = place.kubectl(*argv)
        events = ("events", "--field-selector", "reason=PutBack")
        (event, *_) = wait_for("the Event", lambda: place.namespace.items(*events))
        seconds = time.monotonic() - began
        return Timed(done.code, seconds, (*done.lines, Line(seconds, "stdout", event["message"])))

    return run


def _without_its_pod(place: Place) -> Timed:
    place.deploy(web())
    old = place.namespace.ready_pods("web")
    began = time.monotonic()
    place.namespace.kubectl("delete", "pod", "--selector=mill.dev/service=web", "--wait=false")
    wait_for("another pod", lambda: place.namespace.ready_pods("web").keys() - old.keys())
    ready = time.monotonic() - began
    status = place.mill("status", "--exit-code")
    lines = tuple(replace(each, seconds=each.seconds + ready) for each in status.lines)
    return Timed(status.code, status.seconds + ready, lines)


def _applied_with_typo(place: Place) -> Timed:
    place.write("mill.yaml", _RESOURCE.format(line="prot: 8080"))
    return place.kubectl("apply", "-f", "mill.yaml")


def _applied_with_interpolation(place: Place) -> Timed:
    place.write("mill.yaml", _RESOURCE.format(line='env: {KEY: "${secrets(key)}"}'))
    place.namespace.kubectl("apply", "-f", str(place.namespace.folder / "mill.yaml"))
    wait_for("the refusal", lambda: place.namespace.condition("Ready").get("status") == "False")
    return place.mill("status", "--exit-code")


def _two_terminals(place: Place) -> Timed:
    """Return what the first of two deploys says."""
    place.write("first.mill", _STARTS_SLOWLY)
    place.write("second.mill", web())
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(place.mill, "deploy", "first.mill")
        wait_for("the first deploy", lambda: place.namespace.service("web"))
        second = place.mill("deploy", "second.mill")
        assert second.code == 0, second
        return first.result()


def _interrupted(place: Place) -> Timed:
    place.write(FILE, _STARTS_SLOWLY)
    return place.interrupted(8, "deploy", FILE)


WITH_ROUTE: Final = web('route "HOST" {}')
CLUSTER: Final = Chapter(
    "What is deployed, and other hands",
    "Something is deployed and healthy before. Deploys have `--verbose`; on a terminal `mill deploy` asks before it "
    "removes services.",
    (
        Mistake(
            "the same route in a second deployment",
            _after(WITH_ROUTE, web('route "HOST" {}', name="api"), "--name", "second"),
            1,
            "failed: route",
        ),
        Mistake(
            "the same service name in a second deployment",
            _after(web(), web(), "--name", "second"),
            1,
            "failed: Deployment",
        ),
        Mistake("a Deployment of that name, made by kubectl", _beside_a_deployment, 1, "belongs to kubectl-create"),
        Mistake(
            "a service is renamed",
            _after(web() + web(name="api"), web() + web(name="backend")),
            0,
            "service api becomes backend",
        ),
        Mistake("the only service is renamed", _after(web(), web(name="backend")), 1, "none of them"),
        Mistake("a service is left out", _after(web() + web(name="api"), web()), 0, "- service api"),
        Mistake("the file is empty", _after(web(), "# nothing\n"), 1, "no service and no task"),
        Mistake(
            "`kubectl scale deployment web`",
            _put_back("scale", "deployment/web", "--replicas=3"),
            0,
            "replicas 3 → 2, by kubectl-scale",
        ),
        Mistake(
            "`kubectl delete deployment web`",
            _put_back("delete", "deployment/web", "--wait=false"),
            0,
            "Deployment web: deleted, made again",
        ),
        Mistake(
            "`kubectl delete service web`",
            _put_back("delete", "service/web", "--wait=false"),
            0,
            "Service web: deleted, made again",
        ),
        Mistake("`kubectl delete pod`, then `mill status`", _without_its_pod, 0, " web"),
        Mistake("`kubectl apply` with `prot: 8080`", _applied_with_typo, 1, "unknown field"),
        Mistake(
            "`kubectl apply` with `${secrets(key)}`, then `mill status --exit-code`",
            _applied_with_interpolation,
            1,
            "did you mean ${secret(key)}?",
        ),
        Mistake("deploys from two terminals: what the first one says", _two_terminals, 1, "has taken over"),
        Mistake("Ctrl-C after 8 s", _interrupted, 3, "mill watch"),
    ),
)
