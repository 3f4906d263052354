"""The settling window of a service: when it begins, ends, and begins again.

It belongs to the pod template. Its beginning and its end stand in the status, so that it outlasts the operator, and a
window that one rollout leaves open goes on in the next.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mill_api.rollouts import Rollout
from mill_api.service_status import Phase, ServiceStatus, State, Transition
from mill_api.status import MillDeploymentStatus, StatusWarning
from mill_operator.core import timestamps
from mill_operator.core.verdicts.observation import Observation
from mill_operator.core.verdicts.settling_pods import Window

LONGEST_WINDOW: Final = timedelta(minutes=10)
"""After this time a window ends well though pods were taken away or added all the time. Crashes begin a new window."""
NOT_SETTLED: Final = "NotSettled"
"""The code of the warning that a window has ended only for its length."""
NOT_SETTLED_MESSAGE: Final = (
    "pods were taken away or added for 10m, so that {service} has not been observed for {settle}"
)


_VERDICTS: Final = frozenset({Phase.HEALTHY, Phase.FAILED, Phase.STOPPED})


@dataclass(frozen=True, slots=True)
class WindowState:
    """The state of a window."""

    window: Window | None = None
    """The open window; None if not all replicas have been ready, or it has ended."""
    settled_at: str | None = None
    warning: str | None = None
    """Why the window has ended only for its length, if it has."""

    @property
    def fields(self) -> dict[str, object]:
        """The fields of the service's status that it consists of."""
        window = self.window
        return {
            "settling_since": timestamps.render(window.since) if window else None,
            "settling_crashes": window.crashes if window else None,
            "settling_newest": timestamps.render(window.newest) if window else None,
            "settled_at": self.settled_at,
        }


def open_window(service: ServiceStatus | None, template: str) -> Window | None:
    """Return the open window of a template, as a status has it."""
    if service is None or service.template != template or not service.settling_since:
        return None
    newest = timestamps.parse(service.settling_newest or service.settling_since)
    return Window(timestamps.parse(service.settling_since), service.settling_crashes or 0, newest)


def has_open_window(rollout: Rollout, service: ServiceStatus) -> bool:
    """Return whether a service was healthy in a finished rollout, and has neither settled nor failed since."""
    # Without the last position, an earlier release or an internal error has ended it, and every stream of it.
    return rollout.last_seq is not None and healthy_step(service) is not None


def healthy_step(service: ServiceStatus) -> Transition | None:
    """Return the step in which a service became healthy that has neither settled nor failed in its rollout since."""
    if service.updated_by is not None:
        return None  # its template is not the rollout's
    if service.settled_at is not None:
        return None
    last = next((step for step in reversed(service.transitions) if step.phase in _VERDICTS), None)
    if last is None or last.phase is not Phase.HEALTHY:
        return None
    return last if service.settlement is None or service.settlement.seq < last.seq else None


def with_earlier_settlements(status: MillDeploymentStatus) -> MillDeploymentStatus:
    """Return a status in which what an earlier release has found healthy counts as settled: it knew no windows."""
    services = [
        service.model_copy(update={"settled_at": service.moved_at}) if _is_of_earlier_release(service) else service
        for service in status.services
    ]
    return status.model_copy(update={"services": services})


def _is_of_earlier_release(service: ServiceStatus) -> bool:
    known = service.settled_at or service.settling_since or service.settle is not None
    works = service.state is State.HEALTHY and service.template is not None
    return works and not known and service.healthy_template == service.template


def settle(before: ServiceStatus, observed: Observation, state: State, now: datetime) -> WindowState:
    """Return the next state of a service's window. `state` is the service's next state."""
    if state is State.FAILED:
        return WindowState()
    if before.has_settled(observed.template):
        return WindowState(settled_at=before.settled_at)
    pods = observed.settling
    window = open_window(before, observed.template)
    if window is None or pods.is_broken or window.since > now:  # the clock was ahead when it began
        window = Window(now, pods.crashes, pods.newest or now) if pods.all_ready else None
    if window is None:
        return WindowState()
    stayed = _has_been_healthy(before, state) and _has_stayed_ready(window, observed, state, now)
    if stayed or (observed.replicas.desired == 0 and state is State.HEALTHY):
        return WindowState(settled_at=timestamps.render(now))
    if now >= window.since + max(LONGEST_WINDOW, observed.settle) and _has_been_healthy(before, state):
        settle = f"{observed.settle.total_seconds():g}s"
        warning = NOT_SETTLED_MESSAGE.format(service=observed.service, settle=settle)
        return WindowState(settled_at=timestamps.render(now), warning=warning)
    return WindowState(window)


def settling_warnings(services: Iterable[ServiceStatus]) -> list[StatusWarning]:
    """Return a warning for each service whose window has ended only for its length."""
    return [
        StatusWarning(service=service.name, code=NOT_SETTLED, message=service.settlement.warning)
        for service in services
        if service.settlement is not None and service.settlement.warning is not None
    ]


def ends_at(service: ServiceStatus, now: datetime) -> datetime | None:
    """Return when to look at an open window again though nothing happens."""
    window = open_window(service, service.template or "")
    if window is None:
        return None
    end = window.since + timedelta(seconds=service.settle or 0)
    return end if end > now else window.since + LONGEST_WINDOW


def _has_been_healthy(before: ServiceStatus, state: State) -> bool:
    """Return whether the service is healthy, or was in this rollout: it may have lost a pod since."""
    return state is State.HEALTHY or any(step.phase is Phase.HEALTHY for step in before.transitions)


def _has_stayed_ready(window: Window, observed: Observation, state: State, now: datetime) -> bool:
    is_new = window.since == now  # then availability was not observed for it
    if is_new and observed.settle:
        return False
    steady = state is State.HEALTHY if is_new else observed.settling.is_steady
    return steady and now >= window.since + observed.settle
