"""The next state of each service of a MillDeployment."""

from datetime import datetime
from typing import Final

from mill_api.service_status import Phase, ServiceStatus, State
from mill_api.status import MillDeploymentStatus
from mill_operator.core import limits, timestamps
from mill_operator.core.rollout.leftovers import Leftover
from mill_operator.core.rollout.progress import is_overdue, never_settles, paused, resumed, stopped_by
from mill_operator.core.rollout.settling import has_open_window, healthy_step, settle
from mill_operator.core.rollout.transitions import PHASES, TransitionRecorder
from mill_operator.core.verdicts.findings import Finding
from mill_operator.core.verdicts.observation import Observation
from mill_operator.core.verdicts.rules.progress import NOT_STOPPED, TIMEOUT

_WHY: Final = ("reason", "message", "detail", "rule", "since", "evidence", "suggestion")
"""The fields of a status that say what is wrong."""


class NextStates:
    """The next states of services, with their new transitions."""

    def __init__(self, previous: MillDeploymentStatus, now: datetime, *, frozen: bool) -> None:
        assert previous.rollout is not None  # noqa: S101
        self._rollout = previous.rollout
        self._frozen = frozen
        self._now = now
        self._at = timestamps.render(now)
        self._started_at = None if frozen else timestamps.parse(previous.rollout.started_at)
        self._recorder = TransitionRecorder(previous, now, frozen=frozen)

    def desired(self, before: ServiceStatus, observed: Observation, *, rolled_back: bool) -> ServiceStatus:
        """Return the next state of a service that should run."""
        if rolled_back:
            # A rolled-back service has failed, whatever state a newer release may have written.
            state = before.state if before.state.known else State.FAILED
            return before.model_copy(update={"state": state, **self._serving(observed)})
        if observed.internal_error is not None:
            return self._unjudged(before, observed)
        state, finding = observed.state, observed.finding
        if not state.is_verdict and self._was_healthy(before, observed):
            state = State.SUSPECT  # it lost a pod, perhaps by a drain; that is no new start
        before = resumed(paused(before, finding, self._started_at, self._now), observed.resumed_at, self._now)
        moved = observed.replicas.healthy > before.replicas.healthy or self._is_progress(before, state)
        overdue = (not moved and is_overdue(before, finding, self._now)) or self._never_settles(before, finding)
        stands = before.state is State.FAILED and before.rule == TIMEOUT.id
        timed_out = not state.is_verdict and (stands or overdue)
        if timed_out:
            state = State.FAILED
        window = settle(before, observed, state, self._now)
        why: dict[str, str | None] = dict.fromkeys(_WHY)
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
                **self._serving(observed),
                "due_at": timestamps.render(due) if due is not None and state is not State.FAILED else None,
                "health_check": observed.health_check if state is State.STARTING else None,
                "failed_at": self._failed_at(before) if state is State.FAILED else None,
                "root": observed.root if state is State.FAILED else None,
                "image": observed.image,
                "template": observed.template,
                "healthy_template": observed.template if window.settled_at else before.healthy_template,
                "settle": observed.settle.total_seconds(),
                **window.fields,
                "failed_template": _template_to_replace(before, observed, state),
                "moved_at": self._at if moved and not stands else before.moved_at,
                **why,
            }
        )
        # A service with no replicas reports no nodes: its pods are only ending.
        nodes = observed.nodes if observed.replicas.desired else ()
        return self._recorder.record(before, after, nodes, window.warning)

    def _unjudged(self, before: ServiceStatus, observed: Observation) -> ServiceStatus:
        """Return the next state of a service that cannot be judged. Its known versions stay."""
        why = _why(observed.finding) if observed.finding is not None else {}
        after = before.model_copy(
            update={
                "state": observed.state,
                "image": observed.image,
                "replicas": observed.replicas,
                "health_check": None,
                "failed_at": self._failed_at(before) if observed.state is State.FAILED else None,
                **why,
            }
        )
        return after if self._frozen else self._recorder.record(before, after, ())  # it ends no window

    def _never_settles(self, before: ServiceStatus, finding: Finding | None) -> bool:
        if (self._frozen and not has_open_window(self._rollout, before)) or (finding is not None and finding.waits):
            return False
        return never_settles(healthy_step(before), self._now)

    def _failed_at(self, before: ServiceStatus) -> str:
        """Return since when a service has failed that fails now."""
        return timestamps.render(timestamps.unless_ahead(before.failed_at, self._now) or self._now)

    def _serving(self, observed: Observation) -> dict[str, object]:
        """Return the fields about the pods of all versions that serve."""
        since = observed.serving_since
        return {
            "replicas": observed.replicas,
            "serving_since": timestamps.render(since) if since is not None else None,
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
        if left and self._now >= stopped_by(before, left.stop_time, self._now):
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
        return self._recorder.record(before, after, ())

    def _is_progress(self, before: ServiceStatus, state: State) -> bool:
        """Return whether a new state is progress. One that comes and goes, as of pods that a node rejects, is not."""
        if state is before.state:
            return False
        if before.is_updating:
            return state.is_verdict  # it records no transitions that say which states are new
        if self._frozen or before.state.is_verdict or before.state is State.WAITING:
            return True
        return PHASES.get(state) not in {None, *(step.phase for step in before.transitions)}


def _why(finding: Finding) -> dict[str, str | None]:
    return {
        "reason": finding.rule.code,
        "message": finding.message,
        "detail": finding.detail or None,
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
