"""Causes, without the text that kubelets and runtimes put around them."""

import pytest

from mill_operator.core import limits
from mill_operator.core.observed.messages import cause, head, tail


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("no wrapping at all", "no wrapping at all"),
        (
            (
                'Back-off pulling image "x/web:1": ErrImagePull: rpc error: code = Unknown desc = '
                'failed to pull and unpack image "x/web:1": failed to resolve reference "x/web:1": failed to do '
                'request: Head "https://x/v2/web/manifests/1": dial tcp: lookup x on 10.0.0.10:53: no such host'
            ),
            "dial tcp: lookup x on 10.0.0.10:53: no such host",
        ),
        (
            (
                'failed to pull and unpack image "x/web:1": failed to resolve reference "x/web:1": pulling from host x '
                "failed with status code [manifests 1]: 500 Internal Server Error"
            ),
            "500 Internal Server Error",
        ),
        (
            (
                'Failed to pull image "x/web:1": rpc error: code = Unknown desc = Error response from daemon: Get '
                '"https://x/v2/": net/http: TLS handshake timeout'
            ),
            "net/http: TLS handshake timeout",
        ),
        ('Back-off pulling image "x/web:1"', 'Back-off pulling image "x/web:1"'),
        ("long " * 100, "long " * 11 + "long … " + ("long " * 27).rstrip()),
    ],
)
def test_cause(message: str, expected: str) -> None:
    assert cause(message) == expected


def test_a_letter_is_kept_whole_or_not_at_all() -> None:
    assert head("ä" * limits.TEXT_BYTES) == "ä" * (limits.TEXT_BYTES // 2)
    assert tail("x" + "ä" * limits.TEXT_BYTES) == "ä" * (limits.TEXT_BYTES // 2)
    assert head("xä" + "ä" * limits.TEXT_BYTES) == "x" + "ä" * (limits.TEXT_BYTES // 2 - 1)
