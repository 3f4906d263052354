"""Take credentials out of texts before anything else sees them. Best effort: patterns know shapes, not secrets.

A program's last words become evidence in a status that many may read, so they pass through `redact_log`; the kubelet's
and the container runtime's words are not a program's, and pass through `redact_urls` alone.
"""

import re
from typing import Final

KUBELET_LIMIT: Final = 2048
"""Bytes of a log's end that the kubelet reports at most."""

_GONE = "***"

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^\s/\"']+@", re.IGNORECASE)
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL)
_PEM_END = re.compile(r"\A.*-----END [A-Z0-9 ]+-----", re.DOTALL)
_TOKEN = re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*|\b(?:ghp|gho|ghs|xox[abp]|sk[-_]|AKIA)[-_A-Za-z0-9]{16,}")
_HEADER = re.compile(
    r"(?P<name>authorization[\"']?\s*[:=]\s*[\"']?)(?:(?:bearer|basic|token)\s+)?[^\s\"',;]+", re.IGNORECASE
)
_NAMED = re.compile(
    r"(?P<name>[\w.-]*(?:password|passwd|pwd|passphrase|token|secret|credentials?|api[-_]?key|access[-_]?key|private[-_]?key)"
    r"[\w.-]*[\"']?\s*[:=]\s*)(?P<value>\"[^\"]*\"|'[^']*'|[^\s,;&]+)",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """Take credentials out of a program's words."""
    if not text:
        return text
    text = _PEM_END.sub(_GONE, _PEM.sub(_GONE, redact_urls(text)))
    text = _HEADER.sub(rf"\g<name>{_GONE}", text)
    text = _NAMED.sub(rf"\g<name>{_GONE}", text)
    return _TOKEN.sub(_GONE, text)


def redact_log(text: str) -> str:
    """Take credentials out of a log's end, and its first line if it was cut: half a credential has no shape."""
    if len(text.encode()) >= KUBELET_LIMIT:
        _, _, whole_lines = text.partition("\n")
        text = whole_lines or text
    return redact(text)


def redact_urls(text: str) -> str:
    """Take user names and passwords out of URLs."""
    return _URL.sub(rf"\g<scheme>{_GONE}@", text)
