"""What we keep of the containers of a pod."""

import re
from dataclasses import dataclass
from datetime import datetime

from mill_api import fields
from mill_api.fields import Json
from mill_operator.core.verdicts.redact import redact_log, redact_urls
from mill_operator.core.verdicts.words import head, tail

CREATING = frozenset({"ContainerCreating", "PodInitializing"})
PULL_PROBLEMS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
"""What a container can wait for, in the kubelet's words, before its image is there."""

RUNTIME_WORDS = frozenset({"StartError", "ContainerCannotRun"})
"""Ends of a container whose message is the runtime's, not a program's: it never began."""
RUNTIME_LINE = re.compile(
    r"""\s*(?:exec\ \S+:\ | \{"msg":"exec\ container\ process\b.*?`:\ )
    (?P<cause>exec\ format\ error | no\ such\ file\ or\ directory | permission\ denied)
    (?:"[^}]*\})?\s*""",
    re.VERBOSE | re.IGNORECASE,
)
"""What runc, or crun, writes into a container's log when it cannot become the program, and nothing else."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a container ended."""

    exit_code: int
    reason: str
    message: str
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class ContainerFacts:
    """What a pod tells about one of its containers."""

    name: str = ""
    image: str = ""
    memory: str = ""
    """Its limit, as it is written in the pod."""
    ready: bool = False
    image_present: bool = False
    waiting_reason: str = ""
    waiting_message: str = ""
    running_since: datetime | None = None
    ended: Ended | None = None
    """Its end, if it is ended right now."""
    last_ended: Ended | None = None
    """The end before the current start."""
    restarts: int = 0
    passing: bool = False
    """Whether it should end well before ours may begin: an init container."""


def containers(ours: str, spec: Json, status: Json, *, logs: bool) -> tuple[ContainerFacts, tuple[ContainerFacts, ...]]:
    """Return the container that is ours, and the others that are not ready."""
    first = fields.mappings(spec, "initContainers")
    declared = {fields.text(each, "name"): each for each in (*fields.mappings(spec, "containers"), *first)}
    passing = {fields.text(each, "name") for each in first if fields.text(each, "restartPolicy") != "Always"}
    own, others = ContainerFacts(), []
    for each in (*fields.mappings(status, "containerStatuses"), *fields.mappings(status, "initContainerStatuses")):
        name = fields.text(each, "name")
        if name == ours:
            own = _container(each, declared.get(name, {}), logs=logs)
        elif not fields.flag(each, "ready"):
            others.append(_container(each, declared.get(name, {}), logs=logs, passing=name in passing))
    return own, tuple(others)


def _container(status: Json, declared: Json, *, logs: bool, passing: bool = False) -> ContainerFacts:
    state = fields.mapping(status, "state")
    waiting, running, ended = (_part(state, name) for name in ("waiting", "running", "terminated"))
    last = _part(fields.mapping(status, "lastState"), "terminated")
    reason = fields.text(waiting, "reason")
    # A container that waits for something else than its creation or its image has got past both.
    past_pull = waiting is not None and reason not in {"", *CREATING, *PULL_PROBLEMS}
    told = (running, ended, last)
    return ContainerFacts(
        name=fields.text(status, "name"),
        image=fields.text(declared, "image"),
        memory=fields.quantity(fields.mapping(declared, "resources", "limits"), "memory"),
        ready=fields.flag(status, "ready"),
        image_present=any(each is not None for each in told) or past_pull or bool(fields.text(status, "imageID")),
        waiting_reason=reason,
        waiting_message=head(redact_urls(fields.text(waiting, "message"))),
        running_since=fields.time(running, "startedAt"),
        ended=_ended(ended, logs=logs),
        last_ended=_ended(last, logs=logs),
        restarts=max(0, fields.number(status, "restartCount")),
        passing=passing,
    )


def _part(state: Json, name: str) -> Json | None:
    """Return one of the states of a container; it may be there and say nothing."""
    part = state.get(name)
    return part if isinstance(part, dict) else None


def _ended(state: Json | None, *, logs: bool) -> Ended | None:
    if state is None:
        return None
    reason, message = fields.text(state, "reason"), fields.text(state, "message")
    if reason in RUNTIME_WORDS:
        message = head(redact_urls(message))
    else:
        message = tail(redact_log(message)) if logs or RUNTIME_LINE.fullmatch(message) else ""
    return Ended(
        exit_code=fields.number(state, "exitCode"),
        reason=reason,
        message=message,
        started_at=fields.time(state, "startedAt"),
        finished_at=fields.time(state, "finishedAt"),
    )
