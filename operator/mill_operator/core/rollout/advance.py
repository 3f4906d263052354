"""Previous status + observations + now → next status, and when to reconcile again.

The rollout's whole state is in the status, so that a reconciliation can start from it, after a crash at any moment.
Nothing here writes: the controller compares the result with what is written and patches the difference.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mill_api.manifests import MAX_STOP_SECONDS
from mill_api.status import (
    MillDeploymentStatus,
    Phase,
    ServiceStatus,
    State,
    StatusWarning,
    Transition,
)
from mill_operator.core import limits, timestamps
from mill_operator.core.rollout.conditions import conditions
from mill_operator.core.rollout.leftovers import Leftover
from mill_operator.core.rollout.outcome import finished, regressions
from mill_operator.core.rollout.settling import (
    NOT_SETTLED,
    ends_at,
    has_open_window,
    settle,
    settling_warnings,
    with_earlier_settlements,
    with_limit_noted,
)
from mill_operator.core.rollout.start import new_service, removed_service, start_rollout
from mill_operator.core.verdicts.findings import Finding
from mill_operator.core.verdicts.judge import Observation
from mill_operator.core.verdicts.rules.placement import SCHEDULING_GATE
from mill_operator.core.verdicts.rules.progress import NOT_STOPPED, TIMEOUT

LONGEST_PAUSE: Final = timedelta(hours=1)
"""After so long in one rollout, causes that come and go no longer stop the time without progress."""

PHASES = {
    State.WAITING: Phase.WAITING,
    State.PULLING: Phase.PULLING,
    State.STARTING: Phase.STARTING,
    State.SUSPECT: Phase.SUSPECT,
    State.HEALTHY: Phase.HEALTHY,
    State.FAILED: Phase.FAILED,
    State.STOPPED: Phase.STOPPED,
}


@dataclass(frozen=True, slots=True)
class NextStatus:
    """The next status, and when to reconcile again though nothing happens."""

    status: MillDeploymentStatus
    wake_at: datetime | None


def advance(
    previous: MillDeploymentStatus,
    observations: Sequence[Observation],
    *,
    generation: int,
    rollout_id: str,
    leftovers: Mapping[str, Leftover],
    now: datetime,
    rolled_back: Collection[str] = (),
) -> NextStatus:
    """Return the next status.

    `observations` are the desired services in the file's order. `leftovers` are the objects that still exist of each
    removed service; such a service is `Stopped` when nothing is left. `rolled_back` are the services that run their
    older version again: nothing runs that could change their verdict.
    """
    previous = with_earlier_settlements(previous)
    current = previous.rollout
    if current is None or current.id != rollout_id or current.refused is not None:  # refused by an older operator
        previous = start_rollout(previous, observations, rollout_id, now)
    rollout = previous.rollout
    assert rollout is not None  # noqa: S101 - started above
    frozen = rollout.finished_at is not None
    states = _NextStates(previous, now, frozen=frozen)
    before = {service.name: service for service in previous.services}
    services = [
        states.desired(
            before.get(each.service) or new_service(each.service, now), each, rolled_back=each.service in rolled_back
        )
        for each in observations
    ]
    wanted = {each.service for each in observations}
    unwanted = [*(name for name in before if name not in wanted), *(n for n in leftovers if n not in before)]
    services += [
        states.removed(before.get(name) or removed_service(name, now), leftovers.get(name)) for name in unwanted
    ]
    services = _bounded(services)
    if frozen:
        judged = {each.service for each in observations if each.internal_error is None}
        rollout = regressions(rollout, before, [each for each in services if each.name in judged], now)
    else:
        rollout = finished(rollout, services, now)
    live = [service for service in services if service.name in wanted]
    with_pods = [service for service in live if service.replicas.desired]
    status = previous.model_copy(
        update={
            "observed_generation": generation,
            "rollout": rollout,
            "services": services,
            "healthy": f"{sum(service.state is State.HEALTHY for service in live)}/{len(live)}",
            "warnings": _warnings(previous, services),
            "serving": f"{sum(service.replicas.serving > 0 for service in with_pods)}/{len(with_pods)}",
        }
    )
    status = status.model_copy(update={"conditions": conditions(status, previous.conditions, now)})
    return NextStatus(status, _wake_at(services, observations, now))


def _warnings(previous: MillDeploymentStatus, services: Sequence[ServiceStatus]) -> list[StatusWarning]:
    others = [each for each in previous.warnings if each.code != NOT_SETTLED]
    return [*others, *settling_warnings(services)][: limits.SPEC_WARNINGS]


def _bounded(services: Sequence[ServiceStatus]) -> list[ServiceStatus]:
    """Drop the evidence of the last services, as far as all evidence together is too much for one object."""
    total = 0
    bounded = []
    for service in services:
        total += len(service.evidence or "")
        bounded.append(
            service if total <= limits.TOTAL_EVIDENCE_LENGTH else service.model_copy(update={"evidence": None})
        )
    return bounded


class _NextStates:
    """The next states of services. It numbers their new transitions."""

    def __init__(self, previous: MillDeploymentStatus, now: datetime, *, frozen: bool) -> None:
        assert previous.rollout is not None  # noqa: S101
        self._frozen = frozen
        self._now = now
        self._at = timestamps.render(now)
        self._started_at = timestamps.parse(previous.rollout.started_at)
        self._seq = max((each.seq for service in previous.services for each in service.transitions), default=0)

    def desired(self, before: ServiceStatus, observed: Observation, *, rolled_back: bool) -> ServiceStatus:
        """Return the next state of a service that should run."""
        if rolled_back:
            # A rolled-back service has failed, whatever state a newer release may have written.
            state = before.state if before.state.known else State.FAILED
            return before.model_copy(update={"state": state, **self._serving(before, observed)})
        if observed.internal_error is not None:
            return self._unjudged(before, observed)
        state, finding = observed.state, observed.finding
        if not state.is_verdict and self._was_healthy(before, observed):
            state = State.SUSPECT  # it lost a pod, perhaps by a drain; that is no new start
        before = self._paused(before, finding)
        moved = observed.replicas.healthy > before.replicas.healthy or self._is_progress(before, state)
        has_own_time = finding is not None and finding.has_own_time
        overdue = not moved and not has_own_time and self._now >= _overdue_at(before, self._now)
        stands = before.state is State.FAILED and before.rule == TIMEOUT.id
        timed_out = not state.is_verdict and (stands or overdue)
        if timed_out:
            state = State.FAILED
        settlement = settle(before, observed, state, self._now)
        why: dict[str, str | None] = dict.fromkeys(("reason", "message", "rule", "since", "evidence", "suggestion"))
        due = finding.due if finding is not None and state is not State.HEALTHY else None
        if finding is not None and state in (State.WAITING, State.SUSPECT, State.FAILED):
            why = _why(finding)
        elif timed_out:
            why |= {
                "reason": TIMEOUT.code,
                "message": TIMEOUT.message,
                "suggestion": TIMEOUT.suggestion.format(service=observed.service),
            }
        if timed_out:  # the verdict stands until there is another one
            why |= {"rule": TIMEOUT.id, "since": before.since if stands else self._at}
        after = before.model_copy(
            update={
                "state": state,
                **self._serving(before, observed),
                "due_at": timestamps.render(due) if due is not None and state is not State.FAILED else None,
                "failed_at": (before.failed_at or self._at) if state is State.FAILED else None,
                "root": observed.root if state is State.FAILED else None,
                "image": observed.image,
                "template": observed.template,
                "healthy_template": observed.template if settlement.settled_at else before.healthy_template,
                "settle": observed.settle.total_seconds(),
                **settlement.fields,
                "failed_template": _template_to_replace(before, observed, state),
                "moved_at": self._at if moved and not stands else before.moved_at,
                **why,
            }
        )
        # A service with no replicas reports no nodes: its pods are only ending.
        recorded = self._record(before, after, observed.nodes if observed.replicas.desired else ())
        return with_limit_noted(recorded, observed.settle) if settlement.by_limit else recorded

    def _unjudged(self, before: ServiceStatus, observed: Observation) -> ServiceStatus:
        """Return the next state of a service that cannot be judged. Its known versions stay."""
        why = _why(observed.finding) if observed.finding is not None else {}
        after = before.model_copy(
            update={"state": observed.state, "image": observed.image, "replicas": observed.replicas, **why}
        )
        return self._record(before, after, ())

    def _paused(self, before: ServiceStatus, finding: Finding | None) -> ServiceStatus:
        """Return a service whose time without progress did not run while a time limit of its own, or a gate, did."""
        if before.rule == SCHEDULING_GATE and (finding is None or not finding.has_own_time):
            return before.model_copy(update={"moved_at": self._at})
        is_over = before.due_at is not None and (finding is None or not finding.has_own_time)
        if not is_over or (not self._frozen and self._now >= self._started_at + LONGEST_PAUSE):
            return before
        assert before.due_at is not None  # noqa: S101 - see above
        moment = max(_moved_at(before, self._now), min(self._now, timestamps.parse(before.due_at)))
        return before.model_copy(update={"moved_at": timestamps.render(moment)})

    def _serving(self, before: ServiceStatus, observed: Observation) -> dict[str, object]:
        """Return the fields about the pods of all versions that serve."""
        since = observed.serving_since
        return {
            "replicas": observed.replicas,
            "serving_since": before.serving_since or timestamps.render(since) if since is not None else None,
            "serving_images": list(observed.serving_images),
        }

    def _was_healthy(self, before: ServiceStatus, observed: Observation) -> bool:
        """Return whether this template has been healthy, in this rollout or before it, and has not failed since."""
        if before.state not in (State.HEALTHY, State.SUSPECT):
            return False
        ready = before.settled_at or before.settling_since or any(s.phase is Phase.HEALTHY for s in before.transitions)
        return self._frozen or (before.template == observed.template and bool(ready))

    def removed(self, before: ServiceStatus, left: Leftover | None) -> ServiceStatus:
        """Return the next state of a service that should be gone."""
        after = ServiceStatus(
            name=before.name,
            state=State.STOPPING if left else State.STOPPED,
            moved_at=before.moved_at,
            transitions=before.transitions,
        )
        if left and self._now >= _stopped_by(before, self._now):
            cause = before.message if before.rule == NOT_STOPPED.id else NOT_STOPPED.message.format(cause=left.where)
            after = after.model_copy(
                update={
                    "state": State.FAILED,
                    "reason": NOT_STOPPED.code,
                    "message": cause,
                    "rule": NOT_STOPPED.id,
                    "since": before.since or self._at,
                    "suggestion": NOT_STOPPED.suggestion,
                }
            )
        return self._record(before, after, ())

    def _is_progress(self, before: ServiceStatus, state: State) -> bool:
        """Return whether a new state is progress. One that comes and goes, as of pods that a node rejects, is not."""
        if state is before.state:
            return False
        if before.is_updating:
            return state.is_verdict  # it records no transitions that say which states are new
        if self._frozen or before.state.is_verdict or before.state is State.WAITING:
            return True
        return PHASES.get(state) not in {None, *(step.phase for step in before.transitions)}

    def _record(self, before: ServiceStatus, after: ServiceStatus, nodes: tuple[str, ...]) -> ServiceStatus:
        """Add the new transitions of a service. After its rollout, only the end of an open settling window is one."""
        steps = self._final(before, after) if self._frozen else [*self._reached(before, after, nodes)]
        return after.model_copy(update={"transitions": [*before.transitions, *steps]}) if steps else after

    def _reached(self, before: ServiceStatus, after: ServiceStatus, nodes: tuple[str, ...]) -> Iterator[Transition]:
        """Yield the new transitions of a service during its rollout."""
        recorded = [each.node for each in before.transitions if each.phase is Phase.SCHEDULED]
        if before.state is not State.HEALTHY:
            for node in nodes:
                if node not in recorded and len(recorded) < limits.SCHEDULED_TRANSITIONS:
                    recorded.append(node)
                    yield self._transition(Phase.SCHEDULED, node=node)
        phase = PHASES.get(after.state)
        verdict = after.state in (State.HEALTHY, State.FAILED)
        changed = after.state is not before.state or (verdict and after.reason != before.reason)
        is_recorded = verdict and _is_recorded(before, after)
        count = len(before.transitions)
        room = count < (2 * limits.TRANSITIONS if verdict else limits.TRANSITIONS)
        if phase is not None and changed and not is_recorded and room:
            yield self._to(phase, after)
        if after.settled_at is not None and before.settled_at is None and count < 2 * limits.TRANSITIONS:
            yield self._transition(Phase.SETTLED)

    def _final(self, before: ServiceStatus, after: ServiceStatus) -> list[Transition]:
        """Return the transition that ends a settling window that was open when the rollout finished."""
        if not has_open_window(before):
            return []
        if after.state is State.FAILED:
            return [self._to(Phase.FAILED, after)]
        return [self._transition(Phase.SETTLED)] if after.settled_at is not None else []

    def _to(self, phase: Phase, after: ServiceStatus) -> Transition:
        failed = after.state in (State.FAILED, State.SUSPECT, State.WAITING)
        code, message = (after.reason, after.message) if failed else (None, None)
        return self._transition(phase, code=code, message=message)

    def _transition(
        self, phase: Phase, *, node: str | None = None, code: str | None = None, message: str | None = None
    ) -> Transition:
        self._seq += 1
        return Transition(seq=self._seq, at=self._at, phase=phase, node=node, code=code, message=message)


def _why(finding: Finding) -> dict[str, str | None]:
    return {
        "reason": finding.rule.code,
        "message": finding.message,
        "rule": finding.rule.id,
        "since": timestamps.render(finding.since),
        "evidence": finding.evidence[: limits.EVIDENCE_LENGTH],
        "suggestion": finding.suggestion,
    }


def _template_to_replace(before: ServiceStatus, observed: Observation, state: State) -> str | None:
    """Return the failed template, if the pods of a working version had to end for its pods; else None.

    What is wrong with a node, a volume, a registry or the cluster is no reason: the working version would meet it too.
    """
    works = before.healthy_template not in (None, observed.template)
    fails = state is State.FAILED and observed.finding is not None and observed.finding.is_own_fault
    return observed.template if fails and observed.recreated and works else None


def _moved_at(service: ServiceStatus, now: datetime) -> datetime:
    """Return when a service made progress last, but not later than now: the clock may have been ahead."""
    return min(timestamps.parse(service.moved_at), now) if service.moved_at else now


def _overdue_at(service: ServiceStatus, now: datetime) -> datetime:
    return _moved_at(service, now) + TIMEOUT.grace


def _stopped_by(service: ServiceStatus, now: datetime) -> datetime:
    """Return when a removed service is overdue: after the longest termination grace period that its pods may have."""
    return _moved_at(service, now) + timedelta(seconds=MAX_STOP_SECONDS) + NOT_STOPPED.grace


def _is_recorded(before: ServiceStatus, after: ServiceStatus) -> bool:
    """Return whether a verdict has been recorded already, and the opposite one not since."""
    for step in reversed(before.transitions):
        if step.phase is Phase.HEALTHY:
            return after.state is State.HEALTHY
        if step.phase is Phase.FAILED and (after.state is State.HEALTHY or step.code == after.reason):
            return after.state is State.FAILED
    return False


def _wake_at(services: Sequence[ServiceStatus], observations: Sequence[Observation], now: datetime) -> datetime | None:
    moments = [each.wake_at for each in observations]
    for service in services:
        if service.state is State.STOPPING:
            moments.append(_stopped_by(service, now))
        elif not service.state.is_verdict:
            moments.append(_overdue_at(service, now))
        if service.settling_since is not None:
            moments.append(ends_at(service, now))
    return min((moment for moment in moments if moment is not None and moment > now), default=None)
