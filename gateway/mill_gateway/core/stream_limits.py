"""Limits of the streams that are open at once: a total, and a maximum of each caller."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """A maximum, and the setting that sets it."""

    maximum: int
    setting: str


class StreamLimits:
    """The number of slots that each caller holds."""

    def __init__(self, total: Limit, per_caller: Limit, noun: str) -> None:
        """Make limits of things that the plural `noun` names in messages: `streams`."""
        self._total = total
        self._per_caller = per_caller
        self._noun = noun
        self._held: Counter[Hashable] = Counter()
        self._all = 0

    def acquire(self, caller: Hashable, count: int = 1) -> str | None:
        """Acquire slots. If a limit would be exceeded, acquire none and return a message that says so."""
        own = self._held[caller]
        for held, limit, whose in ((self._all, self._total, "in all"), (own, self._per_caller, "by this caller")):
            if held + count > limit.maximum:
                more = f"{count} more" if held else f"{count}"
                return (
                    f"too many {self._noun} at once: {held} are open {whose}, {more} are asked for, "
                    f"and {limit.setting} allows {limit.maximum}; close some and try again, or raise it"
                )
        self._held[caller] += count
        self._all += count
        return None

    def release(self, caller: Hashable, count: int) -> None:
        """Release slots of a caller."""
        self._all -= count
        self._held[caller] -= count
        if not self._held[caller]:
            del self._held[caller]

    def __len__(self) -> int:
        """Return the number of slots that are held."""
        return self._all
