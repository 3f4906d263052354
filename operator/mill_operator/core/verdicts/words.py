"""Long texts cut to what a status has room for, and causes taken out of what everybody wraps them in."""

import re
from typing import Final

LIMIT: Final = 2048
"""Bytes kept of a text: a kubelet's message can have 4096, and a status with many services must stay small."""
CAUSE_LIMIT: Final = 200
"""Characters of a cause in a reason, which is one line on somebody's terminal."""

_WRAPPING: Final = re.compile(
    r"""(?:
      Back-off\ pulling\ image\ "[^"]*":\s*
    | (?:ErrImagePull|RegistryUnavailable|SignatureValidationFailed|ImageInspectError):\s*
    | Failed\ to\ pull\ image\ "[^"]*":\s*
    | image\ pull\ failed\ for\ \S+\ because\ (?:the\ registry\ is\ unavailable|the\ signature\ validation\ failed):\s*
    | rpc\ error:\ code\ =\ \w+\ desc\ =\s*
    | Error\ response\ from\ daemon:\s*
    | failed\ to\ pull\ and\ unpack\ image\ "[^"]*":\s*
    | failed\ to\ resolve\ reference\ "[^"]*":\s*
    | failed\ to\ copy:\s*
    | (?:httpReadSeeker:\ )?failed\ open:\s*
    | failed\ to\ do\ request:\s*
    | (?:Head|Get)\ "[^"]*":\s*
    | unexpected\ status\ (?:code\ |from\ (?:HEAD|GET)\ request\ to\ )\S+:\s*
    | pulling\ from\ host\ \S+\ failed\ with\ status\ code\ \[[^]]*\]:\s*
    | initializing\ source\ \S+:\s*
    | pinging\ container\ registry\ \S+:\s*
    | (?:Error:\ )?reading\ manifest\ \S+\ in\ \S+:\s*
    | Failed\ to\ create\ pod\ sandbox:\s*
    | failed\ to\ start\ container\ "[^"]*":\s*
    | failed\ to\ create\ (?:containerd\ task|task\ for\ container|shim\ task):\s*
    | (?:OCI\ runtime|runc)\ create\ failed:\s*
    | unable\ to\ start\ container\ process:\s*
    | error\ during\ container\ init:\s*
    )""",
    re.VERBOSE | re.IGNORECASE,
)
"""What a kubelet or a container runtime says before it comes to the point."""


def head(text: str) -> str:
    """Return the beginning of a text: where people say what is wrong."""
    return text.encode()[:LIMIT].decode(errors="ignore")


def tail(text: str) -> str:
    """Return the end of a text: where programs say what was wrong."""
    return text.encode()[-LIMIT:].decode(errors="ignore")


def cause(message: str) -> str:
    """Take the cause out of a message."""
    while match := _WRAPPING.match(message):
        message = message[match.end() :]
    return message.strip()[:CAUSE_LIMIT]
