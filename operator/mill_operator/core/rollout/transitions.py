"""The transitions of a service in a rollout, and the end of its settling window: what streams and history report."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from mill_api.events import ENDS
from mill_api.service_status import Phase, ServiceStatus, Settlement, State, Transition
from mill_api.status import MillDeploymentStatus
from mill_api.status_words import LAST_SEQ
from mill_operator.core import limits, timestamps
from mill_operator.core.rollout.outcome import last_seq
from mill_operator.core.rollout.settling import has_open_window

PHASES: Final = {
    State.WAITING: Phase.WAITING,
    State.PULLING: Phase.PULLING,
    State.STARTING: Phase.STARTING,
    State.SUSPECT: Phase.SUSPECT,
    State.HEALTHY: Phase.HEALTHY,
    State.FAILED: Phase.FAILED,
    State.STOPPED: Phase.STOPPED,
}


class TransitionRecorder:
    """Adds the new transitions of services, and numbers them over all services of the rollout."""

    def __init__(self, previous: MillDeploymentStatus, now: datetime, *, frozen: bool) -> None:
        assert previous.rollout is not None  # noqa: S101
        self._rollout = previous.rollout
        self._frozen = frozen
        self._at = timestamps.render(now)
        self._seq = max(map(last_seq, previous.services), default=0)

    def record(
        self, before: ServiceStatus, after: ServiceStatus, nodes: tuple[str, ...], warning: str | None = None
    ) -> ServiceStatus:
        """Add the new transitions of a service, and the end of its settling window.

        After the rollout, only the end of a window that is still open belongs to it.
        """
        if self._frozen:
            if not has_open_window(self._rollout, before):
                return after
            steps = [self._to(Phase.FAILED, after)] if after.state is State.FAILED else []
        else:
            steps = [*self._reached(before, after, nodes)]
        if steps:
            after = after.model_copy(update={"transitions": [*before.transitions, *steps]})
        if after.settled_at is not None and before.settled_at is None and after.settlement is None:
            settlement = Settlement(seq=self._next_seq(), at=self._at, warning=warning)
            after = after.model_copy(update={"settlement": settlement})
        return after

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
        room = len(before.transitions) < (2 * limits.TRANSITIONS if verdict else limits.TRANSITIONS)
        ends = phase in ENDS and all(step.phase is not phase for step in before.transitions)
        if phase is not None and changed and not is_recorded and (room or ends):
            yield self._to(phase, after)

    def _to(self, phase: Phase, after: ServiceStatus) -> Transition:
        failed = after.state in (State.FAILED, State.SUSPECT, State.WAITING)
        code, message = (after.reason, after.message) if failed else (None, None)
        return self._transition(phase, code=code, message=message)

    def _next_seq(self) -> int:
        self._seq = min(self._seq + 1, LAST_SEQ)  # people can write any position into a status
        return self._seq

    def _transition(
        self, phase: Phase, *, node: str | None = None, code: str | None = None, message: str | None = None
    ) -> Transition:
        return Transition(seq=self._next_seq(), at=self._at, phase=phase, node=node, code=code, message=message)


def _is_recorded(before: ServiceStatus, after: ServiceStatus) -> bool:
    """Return whether a verdict has been recorded already, and the opposite one not since."""
    for step in reversed(before.transitions):
        if step.phase is Phase.HEALTHY:
            return after.state is State.HEALTHY
        if step.phase is Phase.FAILED and (after.state is State.HEALTHY or step.code == after.reason):
            return after.state is State.FAILED
    return False
