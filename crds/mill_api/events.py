"""The server-sent events of a rollout: a function of the resource alone.

Every gateway replica makes the same events with the same ids from the same status, so that a client may lose one
replica and resume at another. Ids are `<first 8 of uid>.<rollout>.<seq>`, and end with `.end` for the last event.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from mill_api.pausing import PAUSED, WAITING_MESSAGE, is_paused
from mill_api.rollout_ids import Standing, forgotten, position, rollout_id, standing
from mill_api.rollouts import PastRollout, Rollout
from mill_api.service_status import Phase, ServiceStatus, Transition
from mill_api.status import MillDeploymentStatus
from mill_api.status_words import UNJUDGED_SEQ
from mill_objects.fields import moment

DEFAULT_PHASES = frozenset({Phase.SCHEDULED, Phase.HEALTHY, Phase.STOPPED})
"""The phases of a stream without `detail=full`, which has all of them."""
ENDS = frozenset({Phase.SETTLED, Phase.FAILED, Phase.STOPPED})
"""The phases of which the first ends the stream of one service."""

SUPERSEDED, END = UNJUDGED_SEQ, UNJUDGED_SEQ + 1
"""Positions after all transitions. The failure of a rollout that ends by an internal error has the first of them: such
a rollout has finished, and cannot be superseded."""


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event."""

    rollout: str
    """What `qualified_id` returns."""
    seq: int
    name: str
    data: dict[str, Any]

    @property
    def id(self) -> str:
        """The id, which a client sends back as `Last-Event-ID`."""
        return f"{self.rollout}.{'end' if self.seq == END else self.seq}"

    @property
    def last(self) -> bool:
        """Whether it is the last event of the rollout."""
        return self.seq == END

    def encode(self) -> bytes:
        """Return the event's bytes: JSON as Python writes it, keys in the order in which they were added."""
        return f"event: {self.name}\r\ndata: {json.dumps(self.data)}\r\nid: {self.id}\r\n\r\n".encode()


@dataclass(frozen=True, slots=True)
class Notice:
    """An event that is no part of the record: it has no id, and who resumes a stream does not get it again."""

    name: str
    data: dict[str, Any]

    def encode(self) -> bytes:
        """Return the event's bytes, as those of an `Event`."""
        return f"event: {self.name}\r\ndata: {json.dumps(self.data)}\r\n\r\n".encode()


def short_uid(uid: str) -> str:
    """Return the part of a resource's uid that stands in the ids of its events: the first 8 characters."""
    return uid[:8]


def qualified_id(uid: str, rollout: str) -> str:
    """Return a rollout's id together with its resource: `<first 8 of uid>.<rollout>`."""
    return f"{short_uid(uid)}.{rollout}"


_ID: Final = re.compile(r"([-0-9A-Za-z]{8})\.([-_0-9A-Za-z]{1,64})\.(end|[0-9]{1,7})")


def parse_id(text: str) -> tuple[str, str, int]:
    """Return short uid, rollout and position of an event's id. Raises ValueError for any other text."""
    match = _ID.fullmatch(text)
    if match is None or (match[3] != "end" and int(match[3]) > SUPERSEDED):
        raise ValueError(f"{text!r} is not the id of an event")
    uid, rollout, seq = match.groups()
    return uid, rollout, END if seq == "end" else int(seq)


def rollout_events(
    uid: str,
    rollout: str,
    metadata: Mapping[str, Any],
    status: MillDeploymentStatus,
    *,
    full: bool = False,
    only: str | None = None,
) -> list[Event]:
    """Return all events of a rollout so far; the last of them is `done` if it has finished.

    `metadata` is the resource's own, and not older than the rollout: it shows whether the rollout was superseded before
    the operator observed it. With `only` the events are those of one service, and end when it has settled or failed.
    """
    prefix = qualified_id(uid, rollout)
    current = status.rollout
    if current is not None and current.id == rollout:
        return list(_current(prefix, current, status.services, full=full, only=only))
    for past in status.history:
        if past.id == rollout:
            return list(_past(prefix, past, _successor(status, rollout), only=only))
    stands, asked = standing(rollout, metadata, status), rollout_id(metadata)
    # Requests for one generation are ordered by clocks, which differ: only the one in the annotation is awaited.
    replaced = rollout != asked and position(rollout)[0] == position(asked)[0]
    if stands is Standing.AWAITED and not replaced:
        return []
    reason = _superseded(prefix, rollout, asked)
    if stands is Standing.FORGOTTEN:
        reason = Event(prefix, SUPERSEDED, "failed", {"reason": forgotten(rollout)})
    return [reason, Event(prefix, END, "done", {"elapsed": 0.0, "success": False})]


def pause_notices(
    rollout: str,
    metadata: Mapping[str, Any],
    services: Iterable[str],
    status: MillDeploymentStatus,
    *,
    only: str | None = None,
) -> list[Notice]:
    """Return the notices for the readers of a rollout whose resource is paused: which services wait.

    `services` are the names of all services of the spec.
    """
    if not is_paused(metadata):
        return []
    current, waiting = status.rollout, services
    if current is not None and current.id == rollout:
        ended = current.finished_at is not None
        waiting = [] if ended else [each.name for each in status.services if stream_end(each) is None]
    elif standing(rollout, metadata, status) is not Standing.AWAITED:
        return []
    data = {"phase": Phase.WAITING.value, "code": PAUSED, "message": WAITING_MESSAGE}
    return [Notice("progress", {"service": name, **data}) for name in waiting if only in (None, name)]


def stream_end(service: ServiceStatus) -> Transition | None:
    """Return the step of a service that ends its own stream; None if there is none yet."""
    return min((step for step in _steps(service) if step.phase in ENDS), key=lambda step: step.seq, default=None)


def _current(
    prefix: str, rollout: Rollout, services: list[ServiceStatus], *, full: bool, only: str | None
) -> Iterator[Event]:
    if rollout.refused is not None:
        yield Event(prefix, 1, "failed", {"reason": rollout.refused})
    steps = sorted(
        ((step, service) for service in services if only in (None, service.name) for step in _steps(service)),
        key=lambda each: each[0].seq,
    )
    if only is None and rollout.last_seq is not None:  # what came later is another stream's
        steps = [(step, service) for step, service in steps if step.seq <= rollout.last_seq]
    end = None if only is None else next((at for at, (step, _) in enumerate(steps) if step.phase in ENDS), None)
    for step, service in steps if end is None else steps[: end + 1]:
        if step.phase is Phase.FAILED:
            yield Event(prefix, step.seq, "failed", _failed(rollout, service, step, full=full))
        elif full or step.phase in DEFAULT_PHASES:
            yield Event(prefix, step.seq, "progress", _progress(rollout, service, step, full=full))
    if end is not None:
        last, _ = steps[end]
        yield _done(prefix, rollout.started_at, last.at, success=last.phase is not Phase.FAILED)
        return
    # A service that was healthy when the rollout finished has still to settle.
    is_open = only is not None and rollout.last_seq is not None and bool(steps)
    if rollout.finished_at is not None and not is_open:
        if (cause := rollout.error or rollout.task_failure) is not None and (only is None or rollout.error):
            yield Event(prefix, UNJUDGED_SEQ, "failed", {"reason": cause})
        is_judged = rollout.refused is None and rollout.error is None
        good = is_judged and (bool(rollout.success) if only is None else True)
        yield _done(prefix, rollout.started_at, rollout.finished_at, success=good)


def _steps(service: ServiceStatus) -> list[Transition]:
    """Return the transitions of a service in the current rollout, with the end of its settling window."""
    if (end := service.settlement) is None:
        return service.transitions
    return [*service.transitions, Transition(seq=end.seq, at=end.at, phase=Phase.SETTLED)]


def _past(prefix: str, past: PastRollout, successor: str, *, only: str | None) -> Iterator[Event]:
    """Yield the events of a finished rollout from the history, which keeps verdicts and no progress."""
    if only in past.settled:
        yield _done(prefix, past.started_at, past.finished_at, success=True)
        return
    failures = [failed for failed in past.failed if only is None or failed.service in (None, only)]
    for failed in failures:
        data = {"reason": failed.reason} if failed.service is None else failed.model_dump(include={"service", "reason"})
        yield Event(prefix, failed.seq, "failed", data)
    late = [each for each in past.regressed if each.service == only and each.seq is not None]
    for each in late:
        yield Event(prefix, each.seq or 0, "failed", each.model_dump(include={"service", "reason"}))
    superseded = past.superseded or only in past.unsettled
    if superseded:
        yield _superseded(prefix, past.id, successor)
    success = past.success if only is None else not (failures or late or superseded)
    yield _done(prefix, past.started_at, past.finished_at, success=success)


def _successor(status: MillDeploymentStatus, rollout: str) -> str:
    """Return the rollout that came after one of the history, which is newest first."""
    newest_first = [status.rollout.id] if status.rollout is not None else []
    newest_first += [past.id for past in status.history]
    return newest_first[newest_first.index(rollout) - 1]


def _superseded(prefix: str, rollout: str, successor: str) -> Event:
    generation, _ = position(successor)
    again = generation == position(rollout)[0]
    by = "a newer request for the same generation" if again else f"generation {generation}"
    if generation < 0:
        by = "a newer rollout"
    return Event(prefix, SUPERSEDED, "failed", {"reason": f"superseded by {by}"})


def _progress(rollout: Rollout, service: ServiceStatus, step: Transition, *, full: bool) -> dict[str, Any]:
    data: dict[str, Any] = {"service": service.name, "phase": step.phase.value}
    if step.node is not None:
        data["node"] = step.node
    if full:
        data["elapsed"] = _elapsed(rollout.started_at, step.at)
        if step.message is not None:
            data |= {"code": step.code, "message": step.message}
    return data


def _failed(rollout: Rollout, service: ServiceStatus, step: Transition, *, full: bool) -> dict[str, Any]:
    data: dict[str, Any] = {"service": service.name, "reason": step.message}
    if full:
        data |= {"elapsed": _elapsed(rollout.started_at, step.at), "code": step.code}
        if service.reason == step.code:
            data |= {"suggestion": service.suggestion, "evidence": service.evidence}
            data |= {"detail": service.detail} if service.detail is not None else {}
    return data


def _done(prefix: str, started_at: str, finished_at: str, *, success: bool) -> Event:
    return Event(prefix, END, "done", {"elapsed": _elapsed(started_at, finished_at), "success": success})


def _elapsed(start: str, end: str) -> float:
    """Return seconds, with one decimal; 0 if a time is missing."""
    began, ended = moment(start), moment(end)
    elapsed = ended - began if began and ended else timedelta(0)
    return round(max(0.0, elapsed.total_seconds()), 1)  # an operator that took over may have an earlier clock
