"""What we keep of the containers of a pod."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mill_operator.core import clock
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


def containers(
    ours: str, spec: dict[str, Any], status: dict[str, Any], *, logs: bool
) -> tuple[ContainerFacts, tuple[ContainerFacts, ...]]:
    """Return the container that is ours, and the others that are not ready."""
    declared = {each["name"]: each for each in (*spec.get("containers", ()), *spec.get("initContainers", ()))}
    passing = {each["name"] for each in spec.get("initContainers", ()) if each.get("restartPolicy") != "Always"}
    own, others = ContainerFacts(), []
    for each in (*status.get("containerStatuses", ()), *status.get("initContainerStatuses", ())):
        name = each["name"]
        if name == ours:
            own = _container(each, declared.get(name, {}), logs=logs)
        elif not each.get("ready"):
            others.append(_container(each, declared.get(name, {}), logs=logs, passing=name in passing))
    return own, tuple(others)


def _container(
    status: dict[str, Any], declared: dict[str, Any], *, logs: bool, passing: bool = False
) -> ContainerFacts:
    state = status.get("state", {})
    waiting, running, ended = (state.get(name) for name in ("waiting", "running", "terminated"))
    last = status.get("lastState", {}).get("terminated")
    # A container that waits for something else than its creation or its image has got past both.
    past_pull = waiting is not None and waiting.get("reason", "") not in {"", *CREATING, *PULL_PROBLEMS}
    return ContainerFacts(
        name=status["name"],
        image=declared.get("image", ""),
        memory=declared.get("resources", {}).get("limits", {}).get("memory", ""),
        ready=status.get("ready", False),
        image_present=bool(running or ended or last or past_pull or status.get("imageID")),
        waiting_reason=waiting.get("reason", "") if waiting else "",
        waiting_message=head(redact_urls(waiting.get("message", ""))) if waiting else "",
        running_since=_time(running.get("startedAt")) if running else None,
        ended=_ended(ended, logs=logs),
        last_ended=_ended(last, logs=logs),
        restarts=status.get("restartCount", 0),
        passing=passing,
    )


def _ended(state: dict[str, Any] | None, *, logs: bool) -> Ended | None:
    if state is None:
        return None
    reason, message = state.get("reason", ""), state.get("message", "")
    if reason in RUNTIME_WORDS:
        message = head(redact_urls(message))
    else:
        message = tail(redact_log(message)) if logs or RUNTIME_LINE.fullmatch(message) else ""
    return Ended(
        exit_code=state.get("exitCode", 0),
        reason=reason,
        message=message,
        started_at=_time(state.get("startedAt")),
        finished_at=_time(state.get("finishedAt")),
    )


def _time(text: str | None) -> datetime | None:
    return clock.parse(text) if text else None
