"""The kubelet's reasons in the status of a container, which operator and gateway read alike."""

from typing import Final

from mill_objects import fields
from mill_objects.json import JsonView

CONTAINER_CREATING: Final = "ContainerCreating"
CREATING: Final = frozenset({CONTAINER_CREATING, "PodInitializing"})
"""Reasons to wait before the first attempt to start."""

PULL_PROBLEMS: Final = frozenset(
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
"""Reasons to wait for an image that could not be pulled."""

START_PROBLEMS: Final = frozenset(
    {"CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
)
"""Reasons to wait after a container could not start, or has ended."""


def has_image(status: JsonView) -> bool:
    """Whether a container's image is on its node, by the entry of `containerStatuses`.

    A container that has started has its image; one that waits for anything but its creation or its image has it, too.
    """
    state, last_state = fields.mapping(status, "state"), fields.mapping(status, "lastState")
    started = _is_in(state, "running") or _is_in(state, "terminated") or _is_in(last_state, "terminated")
    reason = fields.text(fields.mapping(state, "waiting"), "reason")
    past_pull = reason not in {"", *CREATING, *PULL_PROBLEMS}
    return started or past_pull or bool(fields.text(status, "imageID"))


def _is_in(state: JsonView, kind: str) -> bool:
    """Whether a container is in this state; the state's object may be empty."""
    return isinstance(state.get(kind), dict)
