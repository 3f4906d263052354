"""Projections of the containers of a pod."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from sys import intern

from mill_objects import fields
from mill_objects.json import JsonView
from mill_objects.kubelet import has_image
from mill_operator.core.observed.foreign_text import READ, cluster_text, log_tail, name
from mill_operator.core.observed.text_cache import ContainerTexts
from mill_operator.core.patterns import pattern

RUNTIME_WORDS = frozenset({"StartError", "ContainerCannotRun"})
"""Terminations whose message is the runtime's, not a program's: the container never started."""
RUNTIME_LINE = pattern(
    r"(?i)\s*(?:exec \S+: |standard_init_linux\.go:\d+: exec user process caused:? "
    r"|(?:\{\"msg\":\")?exec container process\b.*?`: )\"?"
    r"(?P<cause>exec format error|no such file or directory|permission denied|operation not permitted"
    r"|argument list too long|is a directory|input/output error|text file busy)\"?(?:\"[^}]*\})?\s*"
)
"""The only line that runc or crun writes into a container's log when it cannot execute the program."""

REPOSITORY_DIGEST = pattern(r"@(?P<digest>sha256:[0-9a-f]{64})$")
"""How an `imageID` ends. Without a repository it is the id of a node's own image, which cannot be pulled by it."""


@dataclass(frozen=True, slots=True)
class Termination:
    """The end of a container."""

    exit_code: int
    reason: str
    message: str
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class ObservedContainer:
    """One container of a pod."""

    name: str = ""
    image: str = ""
    memory: str = ""
    """Its memory limit, as it is written in the pod."""
    ready: bool = False
    image_present: bool = False
    image_digest: str = ""
    """The digest by which its registry has the image that it runs, such as `sha256:…`; empty if that is not known."""
    waiting_reason: str = ""
    waiting_message: str = ""
    running_since: datetime | None = None
    ended: Termination | None = None
    """Its termination, if it is terminated now."""
    last_ended: Termination | None = None
    """The termination before the current start."""
    restarts: int = 0
    is_init: bool = False
    """Whether it is an init container, which should end well before ours may start."""

    @property
    def crashes(self) -> int:
        """Number of times that it has ended."""
        stopped = self.ended is not None or self.waiting_reason == "CrashLoopBackOff"
        return self.restarts + (1 if stopped else 0)

    @property
    def latest_end(self) -> Termination | None:
        """Its last end."""
        return self.ended or self.last_ended


def containers(
    ours: str, spec: JsonView, status: JsonView, texts: ContainerTexts, *, logs: bool
) -> tuple[ObservedContainer, tuple[ObservedContainer, ...]]:
    """Return the container that is ours, and the others that are not ready. `texts` are those of the pod."""
    first = fields.mappings(spec, "initContainers")
    declared = {fields.text(each, "name"): each for each in (*fields.mappings(spec, "containers"), *first)}
    init = {fields.text(each, "name") for each in first if fields.text(each, "restartPolicy") != "Always"}
    own, others = ObservedContainer(), []
    for each in (*fields.mappings(status, "containerStatuses"), *fields.mappings(status, "initContainerStatuses")):
        called = fields.text(each, "name")
        if called == ours:
            own = _container(each, declared.get(called, {}), texts, logs=logs)
        elif not fields.flag(each, "ready"):
            others.append(_container(each, declared.get(called, {}), texts, logs=logs, is_init=called in init))
    return own, tuple(others)


def _container(
    status: JsonView, declared: JsonView, texts: ContainerTexts, *, logs: bool, is_init: bool = False
) -> ObservedContainer:
    state = fields.mapping(status, "state")
    waiting, running, ended = (_part(state, kind) for kind in ("waiting", "running", "terminated"))
    last = _part(fields.mapping(status, "lastState"), "terminated")
    reason = name(fields.text(waiting, "reason"))
    called, restarts = fields.text(status, "name"), max(0, fields.number(status, "restartCount"))
    return ObservedContainer(
        name=called,
        image=fields.text(declared, "image"),
        memory=fields.quantity(fields.mapping(declared, "resources", "limits"), "memory"),
        ready=fields.flag(status, "ready"),
        image_present=has_image(status),
        image_digest=_digest(fields.text(status, "imageID")),
        waiting_reason=reason,
        waiting_message=_waiting(called, fields.text(waiting, "message"), texts),
        running_since=fields.time(running, "startedAt"),
        ended=_ended(called, restarts, ended, texts, logs=logs),
        last_ended=_ended(called, restarts - 1, last, texts, logs=logs),
        restarts=restarts,
        is_init=is_init,
    )


def _digest(image_id: str) -> str:
    found = REPOSITORY_DIGEST.search(image_id[-READ:])
    return "" if found is None else intern(found["digest"])  # the pods of a service have the same


def _part(state: JsonView, kind: str) -> JsonView | None:
    """Return one of the states of a container, which may be empty; None if it is not in that state."""
    part = state.get(kind)
    return part if isinstance(part, dict) else None


def _waiting(container: str, message: str, texts: ContainerTexts) -> str:
    """Return why a container waits. Only the message distinguishes one wait from the next."""
    return texts.get((container, message[:READ]) if message else None, partial(cluster_text, message))


def _ended(
    container: str, start: int, state: JsonView | None, texts: ContainerTexts, *, logs: bool
) -> Termination | None:
    """Return the termination of a container's start of that number."""
    if state is None:
        return None
    reason, message = name(fields.text(state, "reason")), fields.text(state, "message")
    finished = fields.text(state, "finishedAt")
    identity: Hashable = (container, start, finished) if finished and message else None
    return Termination(
        exit_code=fields.number(state, "exitCode"),
        reason=reason,
        message=texts.get(identity, partial(_end_message, reason, message, logs=logs)),
        started_at=fields.time(state, "startedAt"),
        finished_at=fields.time(state, "finishedAt"),
    )


def _end_message(reason: str, message: str, *, logs: bool) -> str:
    if reason in RUNTIME_WORDS:
        return cluster_text(message)
    tail = log_tail(message)
    return tail if logs or RUNTIME_LINE.fullmatch(tail) else ""
