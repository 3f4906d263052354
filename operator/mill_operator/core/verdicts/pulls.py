"""Messages of image pulls: whether one names a cause, which cause, and what was known before it.

The kubelet reports a pull that fails. It repeats what the container runtime and the registry said, or says only that it
waits before it tries again. Everything that reads these messages is here; `rules` has the rows.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from mill_api.service_status import ServiceStatus
from mill_objects.kubelet import PULL_PROBLEMS
from mill_operator.core.observed.containers import ObservedContainer
from mill_operator.core.observed.events import ObservedEvent
from mill_operator.core.observed.messages import COMBINED
from mill_operator.core.patterns import pattern, repeated

BACK_OFF: Final = "Back-off pulling image"
DENIED: Final = pattern(
    r"(?i)unauthorized|denied|forbidden|authentication required|no basic auth credentials|no pull access"
    r"|authorization failed|incorrect username or password|authorization token has expired"
)
FILE_DENIED: Final = repeated(r"(?i)permission denied")
"""A file system's refusal, which is not a registry's."""
UNPACKING: Final = pattern(r"(?i)failed to (?:extract|register) layer|failed to unpack|snapshot|/var/lib/")
"""What a node does with an image that the registry has given."""
OTHER_PLATFORM: Final = pattern(
    r"(?i)no match for platform|cannot be used on this platform|does not match the (?:specified|detected host) platform"
    r"|no matching manifest for (?P<docker>[\w/.-]+)"
    r"|no image found in (?:manifest list|image index) for architecture \"?(?P<arch>\w+)\"?,"
    r" variant \"?(?P<variant>\w*)\"?, OS \"?(?P<os>\w+)"
)
SAYS_NO_CAUSE: Final = pattern(rf'(?im)pull QPS exceeded|context canceled|^{BACK_OFF} "[^"]*"\s*$')
"""Failures of a pull that do not name a cause: one that is known already stays."""
LOGIN_FAILS: Final = pattern(r"(?i)failed to (?:authorize|fetch \w+ token)|no pull access")
NOT_FOUND: Final = (
    r'failed to resolve (?:reference(?: "[^"]*")?|image): \S*\s*not found'
    r'|failed to pull (?:and unpack )?image "[^"]*": :?\s*not found\s*$'
    r"|manifest unknown|name unknown|repository name not known to registry"
    r"|manifest for \S*\s*not found"
    r"|(?:artifact|repository|project|error: image) \S*\s*not found"  # Harbor; Docker before 17
    r"|tag \S* was deleted or has expired"  # Quay
    r"|\[manifests [^\]]*\]: 404 not found"
    r"|(?:head|get) request to https?://[^/\s]+/v2/\S*: 404 not found"
    r"|reading\s*:?\s*(?:received unexpected http status: )?404 not found"
)
"""A registry's answer about the image that it was asked for. What is missing on the node ends in `not found` too."""
INCOMPLETE: Final = (
    r"could not fetch content descriptor .*not found|failed to copy: http\w+: failed open: [^/]*not found"
    r"|content at \S+ not found"
    r"|blob unknown|unknown blob|(?:reading|fetching) blob .*404"
    r"|/blobs/\S+ 404 not found"
    r"|from manifest list.*manifest unknown"
)
LOCKED: Final = pattern(
    r"(?i)too many failed login|account (?:is |has been )?(?:temporarily )?(?:locked|suspended|disabled)"
)
ADDRESS_REFUSED: Final = pattern(
    r"(?i)client with ip .{1,60}is not allowed|not allowed access|ip (?:address )?(?:allow|white) ?-?list"
    r"|your ip address .{1,60}(?:not (?:permitted|allowed)|blocked|denied)|ip address (?:is )?(?:restricted|blocked)"
    r"|prohibited by organization's policy|vpcServiceControls|export control"
)
PROXY_REFUSES: Final = pattern(
    r"(?i)\b(?:head|get|post) \"?[^\"\s]+\"?: (?:forbidden|access denied|proxy authentication required)"
    r"|proxy authentication required|proxyconnect tcp: [^:]*(?:forbidden|denied|authentication)"
    r"|dial tcp .*(?:connect: permission denied|operation not permitted)"
    r"|blocked by (?:policy|administrator|proxy|zscaler)"
)
STORAGE_REFUSES: Final = pattern(
    r"(?i)error parsing http 403 response body|<code>\s*(?:AccessDenied|AuthorizationFailure|InvalidAccessKeyId)"
    r"|(?:SignatureDoesNotMatch|AuthenticationFailed)</code>|(?:reading|fetching) blob .*403.*<"
)
STATUS_403: Final = pattern(
    r"(?i)(?:unexpected status (?:code |from (?:HEAD|GET) request to )|(?:Get|Head) \"?)"
    r"(?P<address>https?://\S+?)\"?: 403 "
)
UNAUTHORIZED: Final = pattern(r"(?i)unauthorized")
PULL_SECRETS: Final = pattern(r"secrets \((?P<secrets>[^)]+)\)")
IMAGE_IN_REQUEST: Final = repeated(r'/manifests/(?:sha256:)?[^\s":]+|manifest \S+ in \S*[^\s:]')
WORD_CHARACTERS: Final = "_.-"
BEFORE_NAMES: Final = ("/", '"', "'", ":", "=", " for ", " in ", " repository ", " artifact ", " image ", " tag ")
"""Ends of a text before the name of an image. Elsewhere it is a word like any other: an image may be called `reset`."""


def is_failing(container: ObservedContainer) -> bool:
    """Return whether the container waits for an image that cannot be pulled."""
    return container.waiting_reason in PULL_PROBLEMS


def names_no_cause(container: ObservedContainer) -> bool:
    """Return whether its image cannot be pulled, and the kubelet does not say why."""
    return is_failing(container) and SAYS_NO_CAUSE.search(container.waiting_message) is not None


def is_denied(message: str) -> bool:
    """Return whether a registry refuses access. The message is one `without_image_names`."""
    if UNPACKING.search(message):
        return False
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
    plain = (each.message.removeprefix(COMBINED) for each in events)
    messages = (each for each in plain if each.startswith(failed))
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
    """Return a text without a word, wherever that stands alone as a name: in a path, quoted, or after a preposition."""
    before, *others = text.split(word)
    kept = [before]
    for other in others:
        alone = not _in_word(kept[-1][-1:]) and not _in_word(other[:1])
        kept += [other] if alone and kept[-1].endswith(BEFORE_NAMES) else [word, other]
    return "".join(kept)


def _in_word(character: str) -> bool:
    return character.isalnum() or (character != "" and character in WORD_CHARACTERS)
