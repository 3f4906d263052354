"""Lines on their way from the kubelets to one reader."""

import asyncio

from mill_gateway.core.log_lines import LINE_OVERHEAD, Line
from mill_gateway.objects.pods import Pod

Queued = tuple[Pod, Line | None] | None
"""A line; None in its place where lines of before may come again; None: there is no more."""


class LineQueue(asyncio.Queue[Queued]):
    """Lines that wait for a slow reader, bounded by their bytes. More are left at the kubelets."""

    def __init__(self, most: int) -> None:
        """`most` is after how many bytes it is full."""
        super().__init__()
        self._most = most
        self._bytes = 0

    def full(self) -> bool:
        """Tell whether who puts a line has to wait."""
        return self._bytes >= self._most

    def _put(self, item: Queued) -> None:
        self._bytes += _size(item)
        super()._put(item)

    def _get(self) -> Queued:
        item = super()._get()
        self._bytes -= _size(item)
        return item


def _size(item: Queued) -> int:
    line = item[1] if item is not None else None
    return LINE_OVERHEAD if line is None else line.size
