"""How long to wait before the next list or watch, by how the last ones ended."""

import asyncio
import random
from typing import Final

SHORT: Final = 0.5
"""Seconds after which a watch that has brought nothing has still worked."""
LONGEST: Final = 30.0
LONGEST_IN_ORDER: Final = 1.6
"""The same where the server answers and ends each watch: what happens meanwhile is seen only with the next one."""
_FIRST: Final = 0.4
_AFTER_A_LIST: Final = 4
"""Failures that count after a list that was answered: the next wait is not the longest, as the server is there."""


class Backoff:
    """Failures in a row. A watch that ends in good order, or expires, may do so at once: the first is no failure."""

    def __init__(self) -> None:
        self.failures = 0
        self._free = 0

    def listed(self) -> None:
        """Note that a list was answered."""
        self.failures = min(self.failures, _AFTER_A_LIST)

    def watched(self, *, worked: bool) -> None:
        """Note that a watch has ended or expired, and whether it brought anything or lasted."""
        self.failures, self._free = 0 if worked else self.failures + 1, 1

    def failed(self, *, worked: bool) -> None:
        """Note that a list or watch was cut off or refused, and whether the watch had worked until then."""
        self.failures, self._free = 1 if worked else self.failures + 1, 0

    @property
    def seconds(self) -> float:
        """How long to wait at most."""
        counted, longest = self.failures - self._free, LONGEST_IN_ORDER if self._free else LONGEST
        return min(longest, _FIRST * 2.0 ** min(counted - 1, 8)) if counted > 0 else 0.0

    async def pause(self) -> None:
        """Wait, not exactly as long as others."""
        if self.seconds:
            await asyncio.sleep(self.seconds * random.uniform(0.5, 1))  # noqa: S311
