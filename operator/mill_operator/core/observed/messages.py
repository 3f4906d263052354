"""Messages cut to the limits of a status, and causes without the text around them."""

from typing import Final

from mill_objects.printable import one_line
from mill_operator.core import limits
from mill_operator.core.patterns import pattern

WRAPPINGS: Final = (
    r'Back-off pulling image "[^"]*":\s*',
    r"(?:ErrImagePull|RegistryUnavailable|SignatureValidationFailed|ImageInspectError):\s*",
    r'Failed to pull image "[^"]*":\s*',
    r"image pull failed for \S+ because (?:the registry is unavailable|the signature validation failed):\s*",
    r"rpc error: code = \w+ desc =\s*",
    r"Error response from daemon:\s*",
    r'failed to pull and unpack image "[^"]*":\s*',
    r'failed to resolve reference "[^"]*":\s*',
    r"failed to copy:\s*",
    r"(?:httpReadSeeker: )?failed open:\s*",
    r"failed to do request:\s*",
    r'(?:Head|Get) "[^"]*":\s*',
    r"unexpected status (?:code |from (?:HEAD|GET) request to )\S+:\s*",
    r"pulling from host \S+ failed with status code \[[^]]*\]:\s*",
    r"initializing source \S+:\s*",
    r"pinging container registry \S+:\s*",
    r"(?:Error: )?reading manifest \S+ in \S+:\s*",
    r"Failed to create pod sandbox:\s*",
    r'failed to start container "[^"]*":\s*',
    r"failed to create (?:containerd task|task for container|shim task):\s*",
    r"(?:OCI runtime|runc) create failed:\s*",
    r"unable to start container process:\s*",
    r"error during container init:\s*",
)
"""Texts that a kubelet or a container runtime puts before the cause."""

_WRAPPED: Final = pattern(rf"(?i)(?:(?:{'|'.join(WRAPPINGS)})\s*)*")


def cause(message: str) -> str:
    """Return the cause that a message names, as one line."""
    found = _WRAPPED.match(message)
    return one_line(message[found.end() :] if found else message, limits.CAUSE_BYTES)


def head(text: str) -> str:
    """Return the beginning of a text, where messages name what is wrong."""
    return text.encode()[: limits.TEXT_BYTES].decode(errors="ignore")


def tail(text: str) -> str:
    """Return the end of a text, where logs name what was wrong."""
    return text.encode()[-limits.TEXT_BYTES :].decode(errors="ignore")
