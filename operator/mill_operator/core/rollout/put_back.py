"""Edits that the operator has put back → the rollout's list of them, and warnings of autoscalers.

Each object has one report a minute at most: what another client writes again and again must not become a write of the
status, and an Event, each time. Edits that come sooner wait, and are counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from mill_api.rollouts import PutBack
from mill_api.status import MillDeploymentStatus, StatusWarning
from mill_operator.core import limits, timestamps
from mill_operator.core.observed.edits import Edit, EditedObject

PUT_BACK: Final = "PutBack"
"""The reason of the Event of an edit."""
AUTOSCALER_CONFLICT: Final = "AutoscalerConflict"
ADVICE: Final = "leave `replicas` out of the service, or delete the autoscaler"
PAUSE: Final = timedelta(minutes=1)
"""The shortest time between two reports of one object."""
CONFLICT_LASTS: Final = timedelta(minutes=10)
"""How long after an autoscaler's last edit its warning stays. Autoscalers act every 15 s, and wait five minutes before
they scale down."""


@dataclass(frozen=True, slots=True)
class EditReport:
    """The status with the edits that were reported, those that wait, and when there is more to do."""

    status: MillDeploymentStatus
    waiting: Mapping[EditedObject, Edit]
    wake_at: datetime | None


def merged(known: Edit | None, edit: Edit) -> Edit:
    """Return the edit of an object of which another one waits to be reported."""
    return replace(edit, count=edit.count + known.count) if known is not None and is_same(known, edit) else edit


def is_same(one: Edit, other: Edit) -> bool:
    """Return whether two edits of an object are one that is made again. An autoscaler's numbers vary."""
    return (one.is_autoscaled and other.is_autoscaled) or (one.change, one.by) == (other.change, other.by)


def report_edits(status: MillDeploymentStatus, edits: Mapping[EditedObject, Edit], now: datetime) -> EditReport:
    """Add edits to the rollout's list, as far as it is time, and warn of autoscalers."""
    rollout = status.rollout
    if rollout is None:
        return EditReport(status, edits, None)
    listed = list(rollout.put_back)
    waiting: dict[EditedObject, Edit] = {}
    moments: list[datetime] = []
    for edited, edit in edits.items():
        if (due := _due(listed, edited, now)) > now:
            waiting[edited] = edit
            moments.append(due)
            continue
        listed = _added(listed, edited, edit, now)
    if listed != rollout.put_back:
        status = status.model_copy(update={"rollout": rollout.model_copy(update={"put_back": listed})})
    conflicts = {
        each.service: end
        for each in listed
        if each.autoscaled and (at := timestamps.unless_ahead(each.at, now)) and (end := at + CONFLICT_LASTS) > now
    }
    return EditReport(_with_warnings(status, conflicts), waiting, min([*moments, *conflicts.values()], default=None))


def autoscaled_services(status: MillDeploymentStatus) -> frozenset[str]:
    """Return the services whose replicas an autoscaler changes as well, as a status has reported."""
    return frozenset(each.service for each in status.warnings if each.service and each.code == AUTOSCALER_CONFLICT)


def _due(listed: Sequence[PutBack], edited: EditedObject, now: datetime) -> datetime:
    """Return when an object can be reported: a minute after its last report, and after one that makes room."""
    reports = [each for each in listed if (each.kind, each.name) == (edited.kind, edited.name)]
    if not reports and len(listed) >= limits.PUT_BACK_LISTED:
        reports = [listed[0]]
    times = [at for each in reports if (at := timestamps.unless_ahead(each.at, now)) is not None]
    return max(times) + PAUSE if times else now


def _added(listed: Sequence[PutBack], edited: EditedObject, edit: Edit, now: datetime) -> list[PutBack]:
    """Return the list with an edit as its last one, and without the same edit of before."""
    same = [each for each in listed if _object(each) == edited and is_same(_edit(each), edit)]
    others = [each for each in listed if each not in same]
    entry = PutBack(
        kind=edited.kind,
        name=edited.name,
        service=edited.service,
        change=edit.change,
        by=edit.by or None,
        autoscaled=edit.is_autoscaled,
        at=timestamps.render(now),
        count=edit.count + sum(each.count for each in same),
    )
    return [*others, entry][-limits.PUT_BACK_LISTED :]


def _object(entry: PutBack) -> EditedObject:
    return EditedObject(entry.kind, entry.name, entry.service)


def _edit(entry: PutBack) -> Edit:
    return Edit(entry.change, entry.by or "", is_autoscaled=entry.autoscaled)


def _with_warnings(status: MillDeploymentStatus, services: Iterable[str | None]) -> MillDeploymentStatus:
    """Return the status with a warning for each service that an autoscaler scales as well, and for no other."""
    found = [
        StatusWarning(
            service=service,
            code=AUTOSCALER_CONFLICT,
            message=f"{service}: an autoscaler changes its number of replicas, and the file sets it: {ADVICE}",
        )
        for service in services
    ]
    others = [each for each in status.warnings if each.code != AUTOSCALER_CONFLICT]
    warnings = [*others, *found][: limits.SPEC_WARNINGS]
    return status if warnings == status.warnings else status.model_copy(update={"warnings": warnings})
