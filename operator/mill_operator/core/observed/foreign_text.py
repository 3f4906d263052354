"""The one way in for foreign text: cut, made printable, redacted, and cut to the limit of a status.

Cut first, so that no length costs more than another; longer than what is kept, since what is taken out leaves room.
Everything that comes after this is matched by the patterns of `core.patterns`.
"""

from typing import Any, Final

from mill_objects.printable import one_line
from mill_operator.core import limits
from mill_operator.core.observed.messages import head, tail
from mill_operator.core.redaction.redact import redact, redact_log, redact_shapes

READ: Final = 2 * limits.TEXT_BYTES
"""Characters that are read."""


def cluster_text(text: Any) -> str:
    """Return the text of a kubelet, a container runtime, a registry, the scheduler or a controller."""
    return head(redact_shapes(_beginning(text)))


def untrusted_text(text: Any) -> str:
    """Return a text of any origin: an admission webhook's, or the output of a probe."""
    return head(redact(_beginning(text)))


def log_tail(text: Any) -> str:
    """Return the end of a program's log."""
    return tail(redact_log(text[-READ:])) if isinstance(text, str) else ""


def name(text: Any) -> str:
    """Return a name of an object, or a reason, as one line."""
    return one_line(text, limits.NAME_BYTES) if isinstance(text, str) else ""


def _beginning(text: Any) -> str:
    """Cut a text where a word ends: half a credential has no shape."""
    if not isinstance(text, str):
        return ""
    if len(text) <= READ:
        return text
    whole, _, rest = text[:READ].rpartition(" ")
    return whole if whole and len(rest) < limits.TEXT_BYTES else text[:READ]
