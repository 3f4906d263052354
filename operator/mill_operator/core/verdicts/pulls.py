"""Messages of image pulls: whether one names a cause, which cause, and what was known before it.

The kubelet reports a pull that fails. It repeats what the container runtime and the registry said, or says only that it
waits before it tries again. Everything that reads these messages is here; `rules` has the rows.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from mill_api.status import ServiceStatus
from mill_objects.kubelet import PULL_PROBLEMS
from mill_operator.core.observed.containers import ObservedContainer
from mill_operator.core.observed.events import ObservedEvent
from mill_operator.core.patterns import pattern, repeated

BACK_OFF: Final = "Back-off pulling image"
DENIED: Final = pattern(
    r"(?i)unauthorized|denied|forbidden|authentication required|no basic auth credentials"
    r"|authorization failed|incorrect username or password|authorization token has expired"
)
FILE_DENIED: Final = repeated(r"(?i)permission denied")
"""A file system's refusal, which is not a registry's."""
OTHER_PLATFORM: Final = pattern(
    r"(?i)no match for platform"
    r"|no matching manifest for (?P<docker>[\w/.-]+)"
    r"|no image found in (?:manifest list|image index) for architecture \"?(?P<arch>\w+)\"?,"
    r" variant \"?(?P<variant>\w*)\"?, OS \"?(?P<os>\w+)"
)
SAYS_NO_CAUSE: Final = pattern(rf'(?im)pull QPS exceeded|context canceled|^{BACK_OFF} "[^"]*"\s*$')
"""Failures of a pull that do not name a cause: one that is known already stays."""
LOGIN_FAILS: Final = pattern(r"(?i)failed to (?:authorize|fetch \w+ token)")
NOT_FOUND: Final = (
    r"(?m::\s*not found\s*$)|: not found\b|404 not found|manifest unknown|name unknown|manifest for \S+ not found"
)
PULL_SECRETS: Final = pattern(r"secrets \((?P<secrets>[^)]+)\)")
IMAGE_IN_REQUEST: Final = repeated(r"/manifests/\S+|manifest \S+ in \S+")
WORD_CHARACTERS: Final = "_.-"


def is_failing(container: ObservedContainer) -> bool:
    """Return whether the container waits for an image that cannot be pulled."""
    return container.waiting_reason in PULL_PROBLEMS


def names_no_cause(container: ObservedContainer) -> bool:
    """Return whether its image cannot be pulled, and the kubelet does not say why."""
    return is_failing(container) and SAYS_NO_CAUSE.search(container.waiting_message) is not None


def is_denied(message: str) -> bool:
    """Return whether a registry refuses access. The message is one `without_image_names`."""
    return DENIED.search(FILE_DENIED.sub("", message)) is not None


def is_known_cause(previous: ServiceStatus | None, image: str) -> bool:
    """Return whether the status already says why this image cannot be pulled."""
    if previous is None or previous.since is None or not (previous.rule or "").startswith("image-"):
        return False
    return previous.image in (None, image)


def cause_in_events(events: Iterable[ObservedEvent], image: str) -> str | None:
    """Return the newest message about a pull of the image that names a cause.

    Kubelets before 1.32 name it there only.
    """
    failed = f'Failed to pull image "{image}"'
    messages = (each.message for each in events if each.message.startswith(failed))
    return next((each for each in messages if not SAYS_NO_CAUSE.search(each)), None)


def needs_platform(container: ObservedContainer) -> bool:
    """Return whether the failure is explained by the node's platform."""
    return OTHER_PLATFORM.search(_message(container)) is not None


def needs_pull_secrets(container: ObservedContainer) -> bool:
    """Return whether the failure may be explained by credentials that do not exist."""
    return is_denied(_message(container))


def _message(container: ObservedContainer) -> str:
    return without_image_names(container.waiting_message, container.image)


@lru_cache(maxsize=1024)  # every row about images asks for the same
def without_image_names(message: str, image: str) -> str:
    """Return a message without the image's names: an image may be called `denied`, and a tag `429`."""
    path = image.partition("@")[0]
    folder, slash, last = path.rpartition("/")
    path = folder + slash + last.partition(":")[0]
    host, _, rest = path.partition("/")
    repository = rest if rest and ("." in host or ":" in host or host == "localhost") else path
    message = IMAGE_IN_REQUEST.sub("", message.replace(image, "") if image else message)
    return _without_word(message, repository) if repository else message


def _without_word(text: str, word: str) -> str:
    """Return a text without a word, wherever that stands alone."""
    before, *others = text.split(word)
    kept = [before]
    for other in others:
        alone = not _in_word(kept[-1][-1:]) and not _in_word(other[:1])
        kept += [other] if alone else [word, other]
    return "".join(kept)


def _in_word(character: str) -> bool:
    return character.isalnum() or (character != "" and character in WORD_CHARACTERS)
