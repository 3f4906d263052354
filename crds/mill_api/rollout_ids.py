"""The ids of rollouts: which one a resource requests, how they are ordered, and what a resource says about one."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from mill_api import names
from mill_api.status import HISTORY_KEPT, MillDeploymentStatus
from mill_objects.fields import number, texts

_ROLLOUT: Final = re.compile(r"[0-9]{1,18}(-[-_0-9A-Za-z]{1,32})?")


def is_rollout(text: str) -> bool:
    """Whether a text can be a rollout's id: a generation, followed by the request if there was one."""
    return _ROLLOUT.fullmatch(text) is not None


def rollout_id(metadata: Mapping[str, Any]) -> str:
    """Return the rollout that a resource requests: its generation, followed by the request if there is one.

    A change of the annotation `mill.dev/request`, to any value, requests another rollout of the same generation.
    """
    request = texts(metadata, "annotations").get(names.ANNOTATION_REQUEST)
    if not request:
        return str(number(metadata, "generation"))
    if not re.fullmatch(r"[-_A-Za-z0-9]{1,32}", request):
        request = hashlib.sha256(request.encode()).hexdigest()[:10]
    return f"{number(metadata, 'generation')}-{request}"


def new_request(moment: datetime) -> str:
    """Return a value for the annotation that sorts after all earlier ones."""
    return f"{int(moment.timestamp() * 1000):012x}{secrets.token_hex(2)}"


def generation_of(rollout: str) -> int:
    """Return the generation of a rollout's id; -1 for an id of an unknown form."""
    return position(rollout)[0]


def position(rollout: str) -> tuple[int, str]:
    """Return the sort key of a rollout. An id of an unknown form, which a status may have, sorts before all others."""
    generation, _, request = rollout.partition("-")
    return (int(generation), request) if is_rollout(rollout) else (-1, rollout)


class Standing(StrEnum):
    """What a resource says about a rollout."""

    RECORDED = "recorded"
    """It is the current one, or in the history."""
    AWAITED = "awaited"
    """It has not started; or the caller's copy of the resource is older than it."""
    SUPERSEDED = "superseded"
    """The operator never observed it: a newer one was requested before."""
    FORGOTTEN = "forgotten"
    """It may have been in the history, which keeps only the last few."""


def standing(rollout: str, metadata: Mapping[str, Any], status: MillDeploymentStatus) -> Standing:
    """Return what a resource says about a rollout."""
    current = status.rollout
    if (current is not None and current.id == rollout) or any(past.id == rollout for past in status.history):
        return Standing.RECORDED
    if position(rollout) >= position(rollout_id(metadata)):
        return Standing.AWAITED
    full = len(status.history) >= HISTORY_KEPT
    forgotten = full and position(rollout) < position(status.history[-1].id)
    return Standing.FORGOTTEN if forgotten else Standing.SUPERSEDED


def forgotten(rollout: str) -> str:
    """Return the message for a rollout that is in the history no longer."""
    return f"rollout {rollout} is no longer known: the last {HISTORY_KEPT} before the current one are kept"
