"""The constraints of single values of a spec: ranges of numbers, and what a rule of a kind of text is.

The rules of texts are in `text_rules`, those across the fields of a service in `service_rules`.

Three places apply them, and none states them again:

- the models (`spec`) refuse what release 0.1.0 refused, and never more: a spec that was stored must load;
- the rules (`validation`) report every breach with its place and a suggestion, also of what was added later;
- the CRD (`crd`) has each as an OpenAPI keyword or a CEL rule. A rule that was added later applies to changes alone.

Constraints across services, and those inside of texts that CEL cannot express, are in `validation` only.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Final, NamedTuple

LONGEST_SHOWN: Final = 100
"""Characters of a refused text that its message repeats."""

MAX_SERVICES: Final = 200
MAX_TASKS: Final = 200
MAX_ROLLOUT_TASKS: Final = 20
"""Tasks that run in rollouts: the status has a part for each."""
MAX_ROUTES: Final = 50
MAX_VOLUMES: Final = 20
MAX_FILES: Final = 50
"""Files of one service or task."""
MAX_FILE_BYTES: Final = 64 * 1024
"""Bytes of the contents of all files of one service or task, in UTF-8."""
MAX_PORTS: Final = 20
MAX_ENV: Final = 500
MAX_COMMAND: Final = 200
MAX_AFTER: Final = 50
"""Services that one service starts after."""
MAX_TEXT: Final = 32768
"""Characters of an environment variable's value, and of a part of a command."""


class Range(NamedTuple):
    """The least and the greatest value of a whole number."""

    least: int
    most: int


PORT: Final = Range(1, 65535)
REPLICAS: Final = Range(0, 1000)
FAILURE_THRESHOLD: Final = Range(1, 1000)
DEFAULT_INTERVAL: Final = "10s"
DEFAULT_FAILURE_THRESHOLD: Final = 3
ID: Final = Range(0, 2**31 - 1)
"""Numbers of users and groups."""
GPUS: Final = Range(1, 1000)
MAX_GPU_KINDS: Final = 4
MAX_LABELS: Final = 32
"""Labels, or annotations, of one service or task, and labels and tolerated taints of its place."""
MAX_LABEL: Final = 63
"""Characters of a label's value."""
MAX_ANNOTATION: Final = 4096
"""Characters of an annotation's value."""
MAX_KEY: Final = 317
"""Characters of the key of a label, annotation or taint."""
DEFAULT_CHECK_TIMEOUT: Final = "5s"
LONGEST_CHECK: Final = timedelta(minutes=5)
LEAST_COMMAND_INTERVAL: Final = timedelta(seconds=5)
"""Time between two runs of the command of a check: each is a process."""
MAX_HEADERS: Final = 20
MAX_HEADER_VALUE: Final = 1024
MAX_GRPC_SERVICE: Final = 255
LONGEST_SETTLE: Final = timedelta(minutes=5)
LONGEST_START: Final = timedelta(hours=1)
LONGEST_STOP: Final = timedelta(minutes=5)
SHORTEST_SCHEDULE_DEADLINE: Final = timedelta(seconds=10)
"""Kubernetes looks at its CronJobs every ten seconds."""
LONGEST_SCHEDULE_DEADLINE: Final = timedelta(hours=24)


class Refusal(NamedTuple):
    """Why a value is refused, and what to write instead."""

    message: str
    suggestion: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedLimit:
    """Requirement of a release after 0.1.0 on texts that match their pattern; the models accept other ones."""

    is_exceeded: Callable[[str], bool]
    refusal: str
    """`{}` is the text."""
    suggestion: str
    cel: str
    """True for what is within the limit; `self` is a text that matches the pattern."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRule:
    """The form of one kind of text."""

    pattern: str
    """Anchored, in the syntax that Python, RE2 and ECMA 262 share."""
    max_length: int
    min_length: int | None = None
    refusal: str
    """`{}` is the text."""
    suggestion: str | Callable[[str], str]
    """Description of a valid text, or the change that a given one needs."""
    strict: str | None = None
    """A narrower pattern, applied by the rules and by no schema: one that 0.1.0 did not have in its models."""
    has_cel: bool = True
    """Whether the CRD refuses it by a CEL rule, in these words. Otherwise by its pattern alone."""
    added_limit: AddedLimit | None = None

    def refuse(self, text: str) -> Refusal | None:
        """Return why a text is refused; None if it is accepted."""
        if len(text) > self.max_length or not _compiled(self.strict or self.pattern).match(text):
            suggestion = self.suggestion if isinstance(self.suggestion, str) else self.suggestion(text)
            return Refusal(self.refusal.format(shown(text)), suggestion)
        limit = self.added_limit
        if limit is not None and limit.is_exceeded(text):
            return Refusal(limit.refusal.format(shown(text)), limit.suggestion)
        return None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern whose `$` is the end of the text: Python's own accepts a newline there."""
    return re.compile(re.sub(r"\$$", r"\\Z", pattern), re.ASCII)


def shown(text: str) -> str:
    """Return a text as a message repeats it: its first `LONGEST_SHOWN` characters."""
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
