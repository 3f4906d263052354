"""Limits of what callers hold at once: a total, and a maximum of each caller."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """A maximum, and the setting that sets it."""

    most: int
    setting: str


class Places:
    """The number of places that each caller holds."""

    def __init__(self, everybody: Limit, each: Limit, what: str) -> None:
        """`what` names what takes a place, in the plural: `streams`."""
        self._everybody = everybody
        self._each = each
        self._what = what
        self._taken: Counter[Hashable] = Counter()
        self._all = 0

    def take(self, caller: Hashable, count: int = 1) -> str | None:
        """Take places. If a limit would be exceeded, take none and return a message that says so."""
        mine = self._taken[caller]
        for taken, limit, whose in ((self._all, self._everybody, "in all"), (mine, self._each, "by this caller")):
            if taken + count > limit.most:
                more = f"{count} more" if taken else f"{count}"
                return (
                    f"too many {self._what} at once: {taken} are open {whose}, {more} are asked for, "
                    f"and {limit.setting} allows {limit.most}; close some and try again, or raise it"
                )
        self._taken[caller] += count
        self._all += count
        return None

    def release(self, caller: Hashable, count: int) -> None:
        """Release places."""
        self._all -= count
        self._taken[caller] -= count
        if not self._taken[caller]:
            del self._taken[caller]

    def __len__(self) -> int:
        """Return the number of places that are taken."""
        return self._all
