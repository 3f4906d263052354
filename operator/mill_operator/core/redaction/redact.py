"""Take credentials out of texts before anything else sees them. Best effort: names and shapes are known, not secrets.

A program's last words become evidence in a status that many may read, so they pass through `redact_log`. What an
admission webhook or a probe says passes through `redact`. The words of the kubelet, of the container runtime and of
registries are no program's output: of them `redact_shapes` takes URLs' credentials and tokens alone, so that causes are
still found in them.
"""

from mill_objects.printable import visible
from mill_operator.core import limits
from mill_operator.core.redaction import shapes
from mill_operator.core.redaction.keys import redact_keys
from mill_operator.core.redaction.lines import redact_lines
from mill_operator.core.redaction.urls import redact_urls

__all__ = ["redact", "redact_log", "redact_shapes", "redact_urls"]


def redact(text: str) -> str:
    """Take credentials out of a program's words; control and format characters too, which may hide a name."""
    return redact_shapes(redact_lines(redact_keys(visible(text)))) if text else text


def redact_log(text: str) -> str:
    """Take credentials out of a log's end, and its first line, or word, if it was cut: half of one has no shape."""
    if len(text.encode(errors="replace")) >= limits.KUBELET_LOG_BYTES:
        _, _, whole_lines = text.partition("\n")
        _, _, whole_words = text.partition(" ")
        text = whole_lines or whole_words or text
    return redact(text)


def redact_shapes(text: str) -> str:
    """Take out what is a credential by its shape: in URLs, tokens, private keys."""
    return shapes.redact_shapes(redact_urls(redact_keys(visible(text)))) if text else text
