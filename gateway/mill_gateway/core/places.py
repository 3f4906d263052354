"""Places that callers take: so many in all, and so many for one caller."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """How many there may be, and which setting says so."""

    most: int
    setting: str


class Places:
    """Who has taken how many."""

    def __init__(self, everybody: Limit, each: Limit, what: str) -> None:
        """`what` is what takes a place, in the plural: `streams`."""
        self._everybody = everybody
        self._each = each
        self._what = what
        self._taken: Counter[Hashable] = Counter()
        self._all = 0

    def take(self, caller: Hashable, count: int = 1) -> str | None:
        """Take places. If there are not so many, take none, and return why in words."""
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

    def give_back(self, caller: Hashable, count: int) -> None:
        """Give places back."""
        self._all -= count
        self._taken[caller] -= count
        if not self._taken[caller]:
            del self._taken[caller]

    def __len__(self) -> int:
        """Return how many are taken."""
        return self._all
