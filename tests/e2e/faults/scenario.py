"""One rollout in which everything happens, and what a user sees of it: the same after each fault as without any.

`kept` stays as it is, `web` is updated, `worker` is new and has no port, `broken` cannot be pulled, `old` leaves.
"""

import itertools
import json
import threading
from dataclasses import dataclass, field
from typing import Any

import httpx
from httpx_sse import ServerSentEvent, connect_sse

from mill_api.status import MillDeploymentStatus
from tests.e2e.conftest import GATEWAY, Namespace, wait_for
from tests.support import server_sent
from tests.support.kstatus_rules import kstatus

KEPT = """
service "kept" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
}
"""
OLD = KEPT.replace("kept", "old")
WEB = """
service "web" {
  image    = "REGISTRY/web:1"
  port     = 8080
  cpu      = 0.02
  replicas = 2
  health { path = "/healthz" }
}
"""
WEB_UPDATED = WEB.replace("web:1", "web:2").replace("port ", 'command = ["/web", "-ready-after", "2s"]\n  port ')
WORKER = """
service "worker" {
  image   = "REGISTRY/web:1"
  command = ["/web", "-no-listen"]
  cpu     = 0.02
}
"""
BROKEN = KEPT.replace("kept", "broken").replace("web:1", "web:missing")

BEFORE = KEPT + WEB + OLD
AFTER = KEPT + WEB_UPDATED + WORKER + BROKEN


@dataclass(frozen=True)
class Outcome:
    """What is to be seen when a rollout is over, without what differs from one run to the next."""

    events: dict[str, list[dict[str, Any]]]
    """What the stream told of each service, in order. The order between services is a matter of luck, and so is
    whether one that cannot be pulled counted as scheduled: it does when its node takes five seconds to say so."""
    kstatus: str
    conditions: dict[str, tuple[str, str, str]]
    services: dict[str, dict[str, Any]]
    history: list[tuple[str, bool, bool]]
    children: dict[str, int | None]
    """By kind and name, with the generation where there is one: it counts how often a spec was written."""
    seconds: float = field(compare=False)
    """How long it took."""


class Rollout:
    """A rollout that is followed from its request to its end, whatever the test does meanwhile."""

    def __init__(self, namespace: Namespace, text: str) -> None:
        self.namespace = namespace
        self.told: list[ServerSentEvent] = []
        self._text = text.replace("REGISTRY", namespace.registry)
        self._kept = namespace.ready_pods("kept")
        self._accepted = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()
        wait_for("the gateway's answer", self._accepted.is_set)

    @property
    def over(self) -> bool:
        """Whether the stream has ended."""
        return not self._thread.is_alive()

    def wait_until_told(self, service: str, phase: str) -> None:
        """Wait for an event, to do something at that moment."""
        data = {"service": service, "phase": phase}
        wait_for(f"{service} {phase}", lambda: any(data.items() <= _data(each).items() for each in list(self.told)))

    def outcome(self) -> Outcome:
        """Wait for the end, hold the rules of a stream, and return what is to be seen."""
        self._thread.join(timeout=90)
        assert not self.over or self._failure is None, repr(self._failure)
        assert self.over, f"no end after {[each.data for each in self.told]}"
        _hold_rules(self.told)
        assert read_events(self.namespace) == [_parts(each) for each in self.told], "a late reader gets the same"
        seen = outcome(self.namespace, self.told)
        if "kept" not in seen.events:
            assert self._kept.items() <= self.namespace.ready_pods("kept").items(), "who tells nothing keeps its pods"
        return seen

    def _follow(self) -> None:
        url = f"{GATEWAY}/v1/deploy?namespace={self.namespace.name}"
        try:
            with httpx.Client(timeout=60) as client, connect_sse(client, "POST", url, content=self._text) as stream:
                assert stream.response.status_code == 200, stream.response.read()
                self._accepted.set()
                for event in server_sent.events(stream):
                    self.told.append(event)
        except Exception as error:  # noqa: BLE001 - raised in the test's own thread
            self._failure = error
        finally:
            self._accepted.set()


def settled(namespace: Namespace, text: str = BEFORE) -> None:
    """Bring a namespace to where a rollout can begin."""
    done = namespace.deploy(text)
    assert done.code == 0, done


def read_events(namespace: Namespace) -> list[tuple[str, str, str]]:
    """Return the events of the current rollout as a late reader gets them."""
    url = f"{GATEWAY}/v1/deployments/mill/events?namespace={namespace.name}"
    with httpx.Client(timeout=60) as client, connect_sse(client, "GET", url) as stream:
        return [_parts(each) for each in server_sent.events(stream)]


def outcome(namespace: Namespace, told: list[ServerSentEvent]) -> Outcome:
    """Return what is to be seen of a MillDeployment."""
    resource = namespace.get("milldeployment", "mill")
    status = MillDeploymentStatus.model_validate(resource["status"])
    events: dict[str, list[dict[str, Any]]] = {}
    for each in told:
        data = {"event": each.event, **_data(each)}
        data.pop("elapsed", None)
        events.setdefault(data.pop("service", ""), []).append(data)
    return Outcome(
        events={service: _without_luck(of_it) for service, of_it in events.items()},
        kstatus=kstatus(resource["metadata"]["generation"], status),
        conditions={each.type: (each.status, each.reason, each.message) for each in status.conditions},
        services={
            each.name: each.model_dump(
                include={
                    "state": True,
                    "reason": True,
                    "message": True,
                    "rule": True,
                    "image": True,
                    "replicas": {"desired", "updated", "healthy"},  # old pods may still serve
                }
            )
            for each in status.services
        },
        history=[(each.id, each.success, each.superseded) for each in status.history],
        children=children(namespace),
        seconds=_data(told[-1])["elapsed"],
    )


def children(namespace: Namespace) -> dict[str, int | None]:
    """Return the MillDeployment's objects, with the generation of those that have one."""
    items = namespace.items("deployments,services,persistentvolumeclaims", "-l", "mill.dev/deployment=mill")
    return {f"{each['kind']} {each['metadata']['name']}": each["metadata"].get("generation") for each in items}


def _without_luck(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    failed = any(each["event"] == "failed" for each in events)
    return [each for each in events if not (failed and each.get("phase") == "scheduled")]


def _hold_rules(told: list[ServerSentEvent]) -> None:
    ids = [each.id for each in told]
    assert len({each.rpartition(".")[0] for each in ids}) == 1, f"one rollout: {ids}"
    positions = [each.rpartition(".")[2] for each in ids]
    assert positions[-1:] == ["end"], f"done comes last: {ids}"
    assert [each.event for each in told].count("done") == 1
    assert all(int(a) < int(b) for a, b in itertools.pairwise(positions[:-1])), f"ids rise: {ids}"


def _data(event: ServerSentEvent) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(event.data)
    return data


def _parts(event: ServerSentEvent) -> tuple[str, str, str]:
    return event.event, event.data, event.id
