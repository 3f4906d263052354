"""The one way in for texts that we did not write: cut, made visible, redacted, and cut to what a status has room for.

Cut first, so that no length costs more than another; longer than what is kept, since what is taken out leaves room.
Everything that comes after this is matched by the patterns of `core.patterns`.
"""

from typing import Any, Final

from mill_objects.printable import one_line
from mill_operator.core.observed.messages import LIMIT, head, tail
from mill_operator.core.redaction.redact import redact, redact_log, redact_shapes

READ: Final = 2 * LIMIT
"""Characters that are looked at."""
NAME_LIMIT: Final = 253
"""Bytes of a name, or of a reason: no object's name is longer."""


def cluster_words(text: Any) -> str:
    """Return what a kubelet, a container runtime, a registry, the scheduler or a controller says."""
    return head(redact_shapes(_beginning(text)))


def others_words(text: Any) -> str:
    """Return what may have been written by anybody: an admission webhook, a probe."""
    return head(redact(_beginning(text)))


def last_words(text: Any) -> str:
    """Return the end of what a program wrote."""
    return tail(redact_log(text[-READ:])) if isinstance(text, str) else ""


def name(text: Any) -> str:
    """Return a name of an object, or a reason, as one line."""
    return one_line(text, NAME_LIMIT) if isinstance(text, str) else ""


def _beginning(text: Any) -> str:
    """Cut a text where a word ends: half a credential has no shape."""
    if not isinstance(text, str):
        return ""
    if len(text) <= READ:
        return text
    whole, _, rest = text[:READ].rpartition(" ")
    return whole if whole and len(rest) < LIMIT else text[:READ]
