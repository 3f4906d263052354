"""Slots of open streams, of a limited number: a stream uses memory for as long as its client reads."""

from collections.abc import Hashable
from types import TracebackType
from typing import Final, Literal, Self

from mill_gateway.access import Caller
from mill_gateway.core.stream_limits import Limit, StreamLimits
from mill_gateway.exceptions.limits import LimitReached
from mill_gateway.settings import Settings
from mill_process.settings import variable

RETRY_SECONDS: Final = 10
"""Seconds after which a refused caller may try again."""
Kind = Literal["rollout", "logs", "drain"]


class StreamSlots:
    """Slots that one stream holds. As a context it releases them if the stream is not opened."""

    def __init__(self, limits: StreamLimits, caller: Hashable, count: int) -> None:
        self._limits = limits
        self._caller = caller
        self.count = count

    def grow(self) -> str | None:
        """Acquire one more slot. If a limit is reached, return a message that says so."""
        problem = self._limits.acquire(self._caller)
        if problem is None:
            self.count += 1
        return problem

    def shrink(self, count: int) -> None:
        """Release all but `count` slots."""
        if count < self.count:
            self._limits.release(self._caller, self.count - count)
            self.count = count

    def release(self) -> None:
        """Release all slots."""
        self.shrink(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.release()


class StreamSlotPool:
    """The slots of all streams of a process."""

    def __init__(self, settings: Settings) -> None:
        def limit(name: str) -> Limit:
            return Limit(getattr(settings, name), variable(name))

        rollouts = StreamLimits(limit("max_streams"), limit("max_streams_per_caller"), "streams")
        logs = StreamLimits(limit("max_log_streams"), limit("max_log_streams_per_caller"), "logs of replicas")
        self.limits: dict[Kind, StreamLimits] = {"rollout": rollouts, "drain": rollouts, "logs": logs}

    def acquire(self, kind: Kind, caller: Caller, count: int = 1) -> StreamSlots:
        """Acquire the slots of a new stream. Raise `LimitReached`, which names the setting."""
        # By name: Kubernetes' user differs between tokens of one account.
        who = (caller.name, caller.namespaces) if caller.user is None else caller.user.name
        if (problem := self.limits[kind].acquire(who, count)) is not None:
            limit = "log_streams" if kind == "logs" else "streams"
            raise LimitReached(problem, limit=limit, retry_after=RETRY_SECONDS)
        return StreamSlots(self.limits[kind], who, count)
