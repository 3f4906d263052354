"""What a kubelet reports of probes that fail, in few words."""

from typing import Final

from mill_operator.core.observed.messages import cause
from mill_operator.core.patterns import pattern

REFUSED_PORT: Final = pattern(r"dial tcp \S*:(?P<port>\d+): connect: connection refused")
_PROBE: Final = pattern(r"(?i)^\w+ probe (?:failed|errored)(?: and resulted in \w+ state)?: ")
_HTTP_STATUS: Final = pattern(r"HTTP probe failed with statuscode: (?P<status>\d{3})")
_TIMED_OUT: Final = pattern(r"(?i)deadline exceeded|timed? ?out|timeout")


def in_few_words(message: str) -> str:
    """Return `HTTP 503`, `nothing listens on port 8080`, `no answer in time`, or the cause that the kubelet names."""
    if status := _HTTP_STATUS.search(message):
        return f"HTTP {status['status']}"
    if refused := REFUSED_PORT.search(message):
        return f"nothing listens on port {refused['port']}"
    probe = _PROBE.search(message)
    text = cause(message[probe.end() :] if probe else message)
    return "no answer in time" if _TIMED_OUT.search(text) else text
