"""Messages cut to the limits of a status, and causes without the text around them.

Kubelets, runtimes and controllers put wrappings before a cause, and ids that differ with each attempt into it. A cause
is kept wherever it stands in a text; wrappings and ids are not.
"""

from typing import Final

from mill_objects.printable import one_line
from mill_operator.core import limits
from mill_operator.core.patterns import Found, pattern, repeated

COMBINED: Final = "(combined from similar events): "
"""What an event recorder puts before a message from the tenth similar event on."""

_IMAGE_WRAPPINGS: Final = (
    r'Back-off pulling image "[^"]*":\s*',
    r"(?:ErrImagePull|RegistryUnavailable|SignatureValidationFailed|ImageInspectError):\s*",
    r'Failed to (?:pull|inspect) image "[^"]*":\s*',
    r"image pull failed for \S+ because (?:the registry is unavailable|the signature validation failed):\s*",
    r'failed to pull and unpack image "[^"]*":\s*',
    r'failed to get sandbox image "[^"]*":\s*',
    r'failed to resolve (?:reference "[^"]*"|image):\s*',
    r"failed to (?:authorize|fetch \w+ token):\s*",
    r"failed to pull image \"[^\"]*\":\s*",
    r"failed to copy:\s*",
    r"(?:http\w+: )?failed open:\s*",
    r"failed to do request:\s*",
    r'(?:Head|Get|Post) (?:"[^"]*"|https?://[^\s"]+):\s*',
    r"unexpected status (?:code |from (?:HEAD|GET) request to )\S+:\s*",
    r"pulling from host \S+ failed with status code \[[^]]*\]:\s*",
    r"unable to pull image or OCI artifact: pull image err:\s*",
    r"initializing source \S+:\s*",
    r"pinging (?:container|docker) registry \S+:\s*",
    r"(?:Error: )?reading manifest \S+ in \S+:\s*",
    r"error pulling image configuration:\s*",
    r"(?:copying system image|pulling image) from manifest list:\s*",
    r"failed to extract layer (?:\([^)]*\) )?\S+:\s*",
    r"failed to unpack image on snapshotter \w+:\s*",
    r'failed to prepare extraction snapshot "[^"]*":\s*',
    r"failed to register layer:\s*",
)
_START_WRAPPINGS: Final = (
    r"\[?rpc error: code = \w+ desc =\s*\[?",
    r"Error response from daemon:\s*",
    r"Failed (?:to )?create pod sandbox:\s*\[?",
    r"failed to create pod network sandbox \S+:\s*",
    r"failed to set ?up (?:network for sandbox|sandbox container) \"[^\"]*\"(?: network for pod \"[^\"]*\")?:\s*",
    r'failed to start (?:sandbox )?container(?: for pod)?(?: "[^"]*")?:\s*',
    r'failed to start sandbox "[^"]*":\s*',
    r'network ?Plugin cni failed to set up pod "[^"]*" network:\s*',
    r'plugin type="[^"]*"(?: name="[^"]*")? failed \((?:add|ADD)\):\s*',
    r"(?:add cmd|CmdAdd \(shim\)):\s*",
    r"error adding pod \S+ to CNI network \"[^\"]*\":\s*",
    r"failed to create (?:containerd task|containerd container|task for container|shim task|shim):\s*",
    r"container create failed:\s*",
    r'time="[^"]*" level=error msg="',
    r"(?:OCI runtime|runc) (?:create failed|error):\s*",
    r"unable to retrieve OCI runtime error \(open [^)]*\):\s*",
    r"(?:container|process|standard_init)_linux\.go:\d+:\s*",
    r'starting container process caused:?\s*"?',
    r"(?:container )?init caused:?\s*\"?",
    r"unable to start container process:\s*",
    r"error during container init:\s*",
)
_VOLUME_WRAPPINGS: Final = (
    r"\(combined from similar events\):\s*",
    r'\w+(?:\.\w+)? (?:initialization )?failed for volume "[^"]*"\s*:\s*',
    (
        r"Unable to attach or mount volumes: unmounted volumes=\[[^\]]*\], unattached volumes=\[[^\]]*\]"
        r"(?:, failed to process volumes=\[[^\]]*\])?:\s*"
    ),
    r'failed to provision volume with StorageClass "[^"]*":\s*',
    r'Unable to mount volumes for pod "[^"]*":\s*',
    r"Failed to prepare dynamic resources:\s*",
)
_REFUSAL_WRAPPINGS: Final = (
    r"Internal error occurred:\s*",
    r'admission webhook "[^"]*" denied the request:\s*resource \S+ was blocked due to the following policies:?\s*',
    r'admission webhook "[^"]*" denied the request:\s*policy \S+ for resource (?:violation|error):?\s*',
)

WRAPPINGS: Final = (*_IMAGE_WRAPPINGS, *_START_WRAPPINGS, *_VOLUME_WRAPPINGS, *_REFUSAL_WRAPPINGS)
"""Texts that a kubelet, a container runtime or a controller puts before the cause."""

_WRAPPED: Final = pattern(rf"(?i)(?:(?:{'|'.join(WRAPPINGS)})\s*)*")
_MOUNT_OUTPUT: Final = pattern(r"(?i)Mounting (?:command|arguments):")
_OUTPUT: Final = "Output: "
_SCOPE: Final = pattern(r"(?i)Running (?:scope )?as unit:? \S+\s*")
_IDS: Final = repeated(
    r"\b[0-9a-f]{24,128}\b|\b[0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}\b"
    r"|\bcontainerd-mount\d{1,20}|\bextract-\d{1,20}-[\w-]{1,20}"
)
_ESCAPED_QUOTE: Final = repeated(r'\\{1,20}"')
_UNKNOWN: Final = ": unknown"
_CLEANUP: Final = ", failed to clean up sandbox"
_ARTIFACT: Final = "; artifact err:"
"""What cri-dockerd adds to a sandbox's failure, and CRI-O to a pull's: the same again."""
ELISION: Final = "…"
_HEAD_BYTES: Final = 60
"""Bytes of a long cause's beginning that are kept: most of what is kept is its end."""


def cause(message: str) -> str:
    """Return the cause that a message names, as one line of at most `limits.CAUSE_BYTES`.

    Of a longer one the beginning and the end are kept.
    """
    text = without_ids(one_line(message, limits.TEXT_BYTES))
    found = _WRAPPED.match(text)
    inner = _without_arguments(text[found.end() :] if found else text).partition(_CLEANUP)[0].partition(_ARTIFACT)[0]
    inner = _trimmed(inner) if inner else text
    return _elided(inner)


def without_ids(text: str) -> str:
    """Return a text without what differs with each attempt: ids of containers, pods, layers and mounts."""
    return _IDS.sub(_elision, _ESCAPED_QUOTE.sub('"', text))


def _elision(_: Found) -> str:
    return ELISION  # RE2 takes a replacement that is a text for Latin-1


def _without_arguments(text: str) -> str:
    """Return a failed mount's output; before it stands the whole command."""
    if not _MOUNT_OUTPUT.search(text) or _OUTPUT not in text:
        return text
    output = text.partition(_OUTPUT)[2]
    scope = _SCOPE.match(output)
    return (output[scope.end() :] if scope else output) or text


def _trimmed(text: str) -> str:
    """Return a text without the `: unknown` and the quotes that containerd and old runc put behind it."""
    bare = text.rstrip(' "')
    is_unknown = bare.lower().endswith(_UNKNOWN)
    if not is_unknown and text.count('"') % 2 == 0:
        return text
    bare = bare[: -len(_UNKNOWN)].rstrip(' "') if is_unknown else bare
    return f'{bare}"' if bare.count('"') % 2 else bare


def _elided(text: str) -> str:
    if len(text.encode()) <= limits.CAUSE_BYTES:
        return text
    first, _, _ = text.encode()[:_HEAD_BYTES].decode(errors="ignore").rpartition(" ")
    _, blank, last = text.encode()[-(limits.CAUSE_BYTES - _HEAD_BYTES - 5) :].decode(errors="ignore").partition(" ")
    return f"{first} {ELISION} {last}" if first and blank else one_line(text, limits.CAUSE_BYTES)


def head(text: str) -> str:
    """Return the beginning of a text, where messages name what is wrong."""
    return text.encode()[: limits.TEXT_BYTES].decode(errors="ignore")


def tail(text: str) -> str:
    """Return the end of a text, where logs name what was wrong."""
    return text.encode()[-limits.TEXT_BYTES :].decode(errors="ignore")
