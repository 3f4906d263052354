"""The ConfigMaps of files that no version needs any more: when they are looked at, and when they go.

A version needs its ConfigMap as long as a ReplicaSet or a Job of it exists, whose labels have the digest of the files.
These are listed only while there are ConfigMaps that the spec does not want, and then seldom.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from mill_api.owner import Owner
from mill_operator.core.objects.desired import ChildObject
from mill_operator.core.objects.plan import Program, program_of
from mill_operator.core.observed.children import ObservedChild

KEPT_UNUSED: Final = timedelta(hours=1)
"""How long a ConfigMap stays that no version needs: a user may go back to that version at this moment."""
LOOK_EVERY: Final = timedelta(minutes=30)
"""Time between two looks at what needs the ConfigMaps that the spec does not want."""


@dataclass(frozen=True, slots=True)
class OldFiles:
    """What is known of the ConfigMaps of one MillDeployment that its spec does not want. It may be lost."""

    next_look: datetime | None = None
    unused_since: Mapping[str, datetime] = field(default_factory=dict)
    """Since when nothing has needed a ConfigMap, by its uid, as far as it was looked at."""


NOTHING_OLD: Final = OldFiles()


def unwanted_files(
    observed: Iterable[ObservedChild], desired: Iterable[ChildObject], owner: Owner, unrendered: Collection[Program]
) -> list[ObservedChild]:
    """Return the ConfigMaps of a MillDeployment that its spec does not want.

    `unrendered` are the services and tasks of which it is not known what they want.
    """
    wanted = {child.key for child in desired if child.kind == "ConfigMap"}
    return [
        each
        for each in observed
        if each.kind == "ConfigMap" and each.files and each.owner_uid == owner.uid and each.key not in wanted
        if not each.terminating and program_of(each) not in unrendered
    ]


def schedule(known: OldFiles, unwanted: Collection[ObservedChild], now: datetime) -> OldFiles:
    """Return what is known, with the time of the next look, if there is anything to look at."""
    if not unwanted:
        return NOTHING_OLD
    return known if known.next_look is not None else OldFiles(now + LOOK_EVERY)


def look(
    known: OldFiles, unwanted: Collection[ObservedChild], needed: Collection[str], now: datetime
) -> tuple[OldFiles, list[ObservedChild]]:
    """Return what is known after a look, and the ConfigMaps that go. `needed` are the digests that versions have."""
    unused = {each.uid: known.unused_since.get(each.uid, now) for each in unwanted if each.files not in needed}
    gone = [each for each in unwanted if each.uid in unused and now - unused[each.uid] >= KEPT_UNUSED]
    return OldFiles(now + LOOK_EVERY, unused), gone
