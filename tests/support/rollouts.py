"""Observations of services, and a MillDeployment whose rollouts follow from them."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from mill_api.events import Event, rollout_events
from mill_api.service_status import Replicas, State
from mill_api.status import MillDeploymentStatus
from mill_operator.core import timestamps
from mill_operator.core.rollout.advance import NextStatus, advance
from mill_operator.core.rollout.leftovers import Leftover
from mill_operator.core.rollout.start import refuse_rollout
from mill_operator.core.verdicts.findings import Finding
from mill_operator.core.verdicts.observation import Observation
from mill_operator.core.verdicts.rules import TABLE
from mill_operator.core.verdicts.settling_pods import SettlingPods
from tests.support.kstatus_rules import kstatus

START = timestamps.parse("2026-01-31T12:00:00Z")


UID = "0123456789abcdef"
NOT_FOUND = "image pull failed: tag not found"
LOST = "node node-2 does not answer"
"""Why a pod of a service that was removed is still there."""
HOUR = 3600.0
"""In seconds."""


def see(
    service: str,
    state: State,
    *,
    node: str | None = "node-1",
    template: str = "aaaaaaaaaa",
    code: str | None = None,
    message: str = NOT_FOUND,
    evidence: str = "",
    desired: int = 1,
    ready: int = 0,
    wake: float | None = None,
    recreated: bool = False,
    settle: float = 0,
    settling: SettlingPods | None = None,
    waits: bool = False,
) -> Observation:
    """Make an observation; `code` is the reason code of its finding."""
    finding = None
    if code is not None:
        rule = next(each for each in TABLE if each.code == code)
        due = START if state is State.FAILED else None
        finding = Finding(rule, message, evidence, "", START, due, waits=waits, is_own_fault=rule.is_own_fault)
    healthy = desired if state is State.HEALTHY else ready
    nodes = (node,) if node and state in (State.STARTING, State.HEALTHY) else ()
    wake_at = None if wake is None else START + timedelta(seconds=wake)
    replicas = Replicas(desired=desired, updated=desired, healthy=healthy)
    is_healthy = state is State.HEALTHY
    return Observation(
        service,
        "web:1",
        template,
        replicas,
        nodes,
        state,
        finding,
        wake_at,
        settling or SettlingPods(all_ready=is_healthy, is_broken=not is_healthy, is_steady=is_healthy),
        timedelta(seconds=settle),
        recreated=recreated,
    )


def healthy(service: str, **more: object) -> Observation:
    return see(service, State.HEALTHY, **more)


def pending(service: str, **more: object) -> Observation:
    return see(service, State.PENDING, **more)


def starting(service: str, **more: object) -> Observation:
    return see(service, State.STARTING, **more)


def failed(service: str, code: str = "TagNotFound", **more: object) -> Observation:
    return see(service, State.FAILED, code=code, **more)


def suspect(service: str, code: str = "PullDenied", **more: object) -> Observation:
    return see(service, State.SUSPECT, code=code, **more)


class World:
    """A MillDeployment that is reconciled; its status is stored as JSON in between, as in the cluster."""

    def __init__(self) -> None:
        self.generation = 1
        self.rollout = "1"
        self.stored = "{}"
        self.now = START
        self.wake_at: datetime | None = None

    @property
    def status(self) -> MillDeploymentStatus:
        return MillDeploymentStatus.model_validate_json(self.stored)

    def store(self, status: MillDeploymentStatus) -> None:
        self.stored = json.dumps(status.model_dump(mode="json", by_alias=True))

    def deploy(self, request: str = "") -> None:
        if not request:
            self.generation += 1
        self.rollout = f"{self.generation}-{request}" if request else f"{self.generation}"

    def look(
        self,
        *observations: Observation,
        after: float = 0.1,
        present: dict[str, str] | None = None,
        rolled_back: tuple[str, ...] = (),
    ) -> "World":
        self.now += timedelta(seconds=after)
        step = self._advance(self.status, observations, present or {}, rolled_back)
        self.store(step.status)
        self.wake_at = step.wake_at
        return self

    def _advance(
        self,
        status: MillDeploymentStatus,
        observations: Sequence[Observation],
        present: dict[str, str],
        rolled_back: tuple[str, ...],
    ) -> NextStatus:
        return advance(
            status,
            observations,
            generation=self.generation,
            rollout_id=self.rollout,
            leftovers={name: Leftover(1, where) for name, where in present.items()},
            rolled_back=rolled_back,
            now=self.now,
        )

    def refuse_rollout(self, reason: str) -> "World":
        status = refuse_rollout(self.status, reason, generation=self.generation, rollout_id=self.rollout, now=self.now)
        self.store(status)
        return self

    def events(self, rollout: str | None = None, *, full: bool = False, only: str | None = None) -> list[Event]:
        metadata = {"generation": self.generation}
        if "-" in self.rollout:
            metadata["annotations"] = {"mill.dev/request": self.rollout.partition("-")[2]}
        return rollout_events(UID, rollout or self.rollout, metadata, self.status, full=full, only=only)

    def told(self, rollout: str | None = None, *, full: bool = False) -> list[str]:
        return [tell(each) for each in self.events(rollout, full=full)]

    @property
    def kstatus(self) -> str:
        return kstatus(self.generation, self.status)

    def service(self, name: str):
        return next(each for each in self.status.services if each.name == name)

    def condition(self, kind: str):
        return next((each for each in self.status.conditions if each.type == kind), None)


def tell(event: Event) -> str:
    """Write an event as one line: `web scheduled node-1`, `broken failed: …`, `done good`."""
    data = event.data
    if event.name == "done":
        return "done good" if data["success"] else "done with errors"
    if event.name == "failed":
        return f"{data.get('service', '*')} failed: {data['reason']}"
    return " ".join(str(data[key]) for key in ("service", "phase", "node") if key in data)
