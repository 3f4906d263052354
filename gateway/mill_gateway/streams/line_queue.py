"""Queue of lines between the kubelets and one reader."""

import asyncio

from mill_gateway.core.log_lines import LINE_OVERHEAD, Line
from mill_gateway.objects.pods import Pod

Queued = tuple[Pod, Line | None] | None
"""A line of a pod; None in place of the line: earlier lines of the pod may repeat; None: the end."""


class LineQueue(asyncio.Queue[Queued]):
    """Lines that wait for a slow reader, limited by their bytes. Further lines stay at the kubelets."""

    def __init__(self, most: int) -> None:
        """`most` is the number of bytes at which the queue is full."""
        super().__init__()
        self._most = most
        self._bytes = 0

    def full(self) -> bool:
        """Whether the next `put` waits."""
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
