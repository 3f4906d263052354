"""How many streams may be open at once: each costs memory for as long as its reader likes."""

from collections.abc import Hashable
from types import TracebackType
from typing import Final, Literal, Self

from mill_gateway.access import Caller
from mill_gateway.core.places import Limit, Places
from mill_gateway.exceptions import LimitReached
from mill_gateway.settings import Settings
from mill_process.settings import variable

RETRY_SECONDS: Final = 10
"""After how long somebody who was refused may try again."""
Kind = Literal["rollout", "logs", "drain"]


class Place:
    """What one stream has taken. As a context it is given back if the stream does not come to be."""

    def __init__(self, places: Places, caller: Hashable, count: int) -> None:
        self._places = places
        self._caller = caller
        self.count = count

    def grow(self) -> str | None:
        """Take one more. If there is none, return why."""
        problem = self._places.take(self._caller)
        if problem is None:
            self.count += 1
        return problem

    def shrink(self, count: int) -> None:
        """Keep so many."""
        if count < self.count:
            self._places.give_back(self._caller, self.count - count)
            self.count = count

    def release(self) -> None:
        """Give all back."""
        self.shrink(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.release()


class Streams:
    """The places of one process."""

    def __init__(self, settings: Settings) -> None:
        def limit(name: str) -> Limit:
            return Limit(getattr(settings, name), variable(name))

        rollouts = Places(limit("max_streams"), limit("max_streams_per_caller"), "streams")
        logs = Places(limit("max_log_streams"), limit("max_log_streams_per_caller"), "logs of replicas")
        self.places: dict[Kind, Places] = {"rollout": rollouts, "drain": rollouts, "logs": logs}

    def take(self, kind: Kind, caller: Caller, count: int = 1) -> Place:
        """Take places for a stream that is about to begin. Raise `LimitReached`, with the setting's name."""
        # Not the whole user: Kubernetes tells each token of an account apart.
        who = (caller.name, caller.namespaces) if caller.user is None else caller.user.name
        if (problem := self.places[kind].take(who, count)) is not None:
            limit = "log_streams" if kind == "logs" else "streams"
            raise LimitReached(problem, limit=limit, retry_after=RETRY_SECONDS)
        return Place(self.places[kind], who, count)
