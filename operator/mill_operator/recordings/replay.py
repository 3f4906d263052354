"""Frames → the observations and statuses that the operator would make of them, and when.

Between frames time passes: the next status is made whenever the operator would wake up, so that a verdict that falls
due without an event is made at its time.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from mill_api.rollouts import Rollout
from mill_api.service_status import ServiceStatus, State
from mill_api.status import MillDeploymentStatus
from mill_objects.json import Json
from mill_objects.key import Key
from mill_operator.core import timestamps
from mill_operator.core.observed.lookup_results import NO_RESULTS, LookupResults
from mill_operator.core.reconcile.goal import starts_rollout
from mill_operator.core.reconcile.next_status import Decision, decide_status
from mill_operator.core.reconcile.observations import Observations, Situation, leftover_lookups, observe_services
from mill_operator.core.rollout.start import new_service
from mill_operator.core.verdicts.lookup_requests import LookupRequest
from mill_operator.recordings.frames import Frame
from mill_operator.recordings.goals import Wanted, wanted
from mill_operator.recordings.world import Group, World, world_of

HORIZON: Final = timedelta(minutes=15)
"""How long after the last frame a verdict is waited for."""
AT_ONCE: Final = 5
"""How often a status is made at the same moment: verdicts follow from other verdicts."""
PAUSE: Final = timedelta(seconds=1)
"""Shortest time between two moments otherwise."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is said of one MillDeployment at one moment."""

    at: datetime
    group: Key
    observations: Observations
    status: MillDeploymentStatus


@dataclass(frozen=True, slots=True)
class Scene:
    """What exists from a moment on."""

    at: datetime
    world: World


def scenes_of(frames: Sequence[Frame]) -> list[Scene]:
    """Return what the frames of a recording mean."""
    return [Scene(frame.at, world_of(frame.objects)) for frame in frames]


def replay(
    scenes: Sequence[Scene], until: timedelta | None = None, specs: Mapping[Key, Json] = MappingProxyType({})
) -> Iterator[Step]:
    """Yield what would be said, one MillDeployment after the other.

    `until` is the time after the last scene; None for the time until every service has a verdict, at most `HORIZON`.
    `specs` replace those that were recorded; they must be valid.
    """
    for key in dict.fromkeys(key for scene in scenes for key in scene.world.groups):
        yield from _replay_group(key, scenes, until, specs.get(key))


def _replay_group(key: Key, scenes: Sequence[Scene], until: timedelta | None, spec: Json | None) -> Iterator[Step]:
    status: MillDeploymentStatus | None = None
    known: Group | None = None
    ends = [after.at for _, after in pairwise(scenes)]
    ends.append(scenes[-1].at + (HORIZON if until is None else until))
    for scene, end in zip(scenes, ends, strict=True):
        group = scene.world.groups.get(key)
        if group is None and known is None:
            continue
        known = group or _emptied(known or Group())
        given = wanted(key, known, spec)
        if status is None:
            status = first_status(given, scene.at)
        stops_early = scene is scenes[-1] and until is None
        for step in _steps(key, given, scene, end, status):
            status = step.status
            yield step
            if stops_early and all(each.state.is_verdict for each in status.services):
                break


def _emptied(group: Group) -> Group:
    """Return a group whose objects are gone from a later frame, but for what it wants."""
    return Group(
        resource=group.resource, templates=group.templates, containers=group.containers, children=group.children
    )


def first_status(given: Wanted, now: datetime) -> MillDeploymentStatus:
    """Return the status with which a recording begins: its rollout has begun, and no verdict is known.

    Of a recorded status counts since when a cause was observed, which the objects do not have: the cause is found
    again, or does not count. A version that was taken back stays so: its pods, and with them the evidence, are gone.
    """
    recorded = given.recorded
    known: list[ServiceStatus] = []
    for each in recorded.services:
        if each.failed_template is not None:
            known.append(each)
        elif each.state in (State.SUSPECT, State.FAILED) and timestamps.unless_ahead(each.since, now):
            # without an image, its message does not stand in for one that a kubelet does not repeat
            known.append(new_service(each.name, now).model_copy(update={**_cause(each), "image": ""}))
    began = min(given.began or now, now)
    rollout = Rollout(id=given.goal.resource.rollout_id, started_at=timestamps.render(began))
    is_current = recorded.rollout is not None and recorded.rollout.id == rollout.id
    return MillDeploymentStatus(rollout=rollout, services=known if is_current else [])


def _cause(service: ServiceStatus) -> dict[str, object]:
    return {"state": State.SUSPECT, "rule": service.rule, "since": service.since, "template": service.template}


def _steps(key: Key, given: Wanted, scene: Scene, end: datetime, status: MillDeploymentStatus) -> Iterator[Step]:
    """Yield the steps from a scene to the next one, beginning with a status."""
    now, repeated = scene.at, 0
    while True:
        situation = Situation(given.goal, given.snapshot, {}, status, status, now)
        observations, decision = decide(situation, scene.world.lookups)
        status = decision.status
        yield Step(now, key, observations, status)
        if decision.wake_at is None:
            return
        repeated = repeated + 1 if decision.wake_at <= now else 0
        if repeated == 0 or repeated >= AT_ONCE:
            now, repeated = max(decision.wake_at, now + PAUSE), 0
        if now >= end:
            return


def decide(situation: Situation, lookups: LookupResults) -> tuple[Observations, Decision]:
    """Return the observations and the next status, as a reconciliation makes them."""
    starts = starts_rollout(situation.goal.resource, situation.status)
    observations = _observe(situation, NO_RESULTS, starts=starts)
    if observations.lookup_requests:
        results = _results(observations.lookup_requests, lookups)
        observations = _observe(situation, results, starts=starts)
    leftovers = _results(leftover_lookups(situation), lookups)
    return observations, decide_status(situation, observations, leftovers, {})


def _observe(situation: Situation, results: LookupResults, *, starts: bool) -> Observations:
    return Observations(tuple(observe_services(situation, results, is_new_request=starts)))


def _results(requests: Collection[LookupRequest], lookups: LookupResults) -> LookupResults:
    """Return the results of some lookups: nothing else is known, as in a cluster."""
    uids = {each.name for each in requests if each.about == "events"} & lookups.events.keys()
    nodes = {each.name for each in requests if each.about == "node"} & lookups.nodes.keys()
    return LookupResults(
        {uid: lookups.events[uid] for uid in uids},
        {name: lookups.nodes[name] for name in nodes},
        lookups.largest_node if any(each.about == "nodes" for each in requests) else {},
    )
