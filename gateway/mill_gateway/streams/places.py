"""Limits of open streams: each one costs memory for as long as its reader likes."""

from collections.abc import Hashable
from types import TracebackType
from typing import Final, Literal, Self

from mill_gateway.access import Caller
from mill_gateway.core.places import Limit, Places
from mill_gateway.exceptions import LimitReached
from mill_gateway.settings import Settings
from mill_process.settings import variable

RETRY_SECONDS: Final = 10
"""Seconds after which a refused caller may try again."""
Kind = Literal["rollout", "logs", "drain"]


class Place:
    """The places of one stream. As a context it releases them if the stream is not opened."""

    def __init__(self, places: Places, caller: Hashable, count: int) -> None:
        self._places = places
        self._caller = caller
        self.count = count

    def grow(self) -> str | None:
        """Take one more place. If the limit is reached, return why."""
        problem = self._places.take(self._caller)
        if problem is None:
            self.count += 1
        return problem

    def shrink(self, count: int) -> None:
        """Keep `count` places."""
        if count < self.count:
            self._places.release(self._caller, self.count - count)
            self.count = count

    def release(self) -> None:
        """Release all places."""
        self.shrink(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.release()


class Streams:
    """The places of all streams of a process."""

    def __init__(self, settings: Settings) -> None:
        def limit(name: str) -> Limit:
            return Limit(getattr(settings, name), variable(name))

        rollouts = Places(limit("max_streams"), limit("max_streams_per_caller"), "streams")
        logs = Places(limit("max_log_streams"), limit("max_log_streams_per_caller"), "logs of replicas")
        self.places: dict[Kind, Places] = {"rollout": rollouts, "drain": rollouts, "logs": logs}

    def take(self, kind: Kind, caller: Caller, count: int = 1) -> Place:
        """Take places for a new stream. Raise `LimitReached`, which names the setting."""
        # By name: Kubernetes' user differs between tokens of one account.
        who = (caller.name, caller.namespaces) if caller.user is None else caller.user.name
        if (problem := self.places[kind].take(who, count)) is not None:
            limit = "log_streams" if kind == "logs" else "streams"
            raise LimitReached(problem, limit=limit, retry_after=RETRY_SECONDS)
        return Place(self.places[kind], who, count)
