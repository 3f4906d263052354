"""No credential of these shapes reaches a status; what people need to read stays."""

import pytest

from mill_operator.core.facts import pod_facts
from mill_operator.core.redact import redact, redact_urls


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cannot reach postgres://app:hunter2@db:5432/app", "cannot reach postgres://***@db:5432/app"),
        ("redis://:hunter2@cache", "redis://***@cache"),
        ("DB_PASSWORD=hunter2 PORT=80", "DB_PASSWORD=*** PORT=80"),
        ('{"password": "hunter 2", "port": 80}', '{"password": ***, "port": 80}'),
        ("api-key: 'hunter2', next", "api-key: ***, next"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("got token=abc&user=x", "got token=***&user=x"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln end", "jwt *** end"),
        ("key -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- end", "key *** end"),
        ("cut off -----BEGIN EC PRIVATE KEY-----\nMIIE", "cut off ***"),
        ("exiting with code 1 after 4s", "exiting with code 1 after 4s"),
        ('secret "db.url" not found', 'secret "db.url" not found'),
        ("see https://docs.example/a@b", "see https://docs.example/a@b"),
        ("", ""),
    ],
)
def test_redact(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_the_runtimes_words_keep_all_but_urls_credentials() -> None:
    text = "failed to fetch oauth token: unexpected status from https://user:pw@auth.example/token: 401 Unauthorized"
    assert redact_urls(text) == text.replace("user:pw@", "***@")


def test_a_pods_last_words_are_redacted_before_they_are_kept() -> None:
    ended = {"exitCode": 1, "reason": "Error", "message": "login failed: password=hunter2"}
    pod = pod_facts(
        {
            "metadata": {
                "name": "web-1",
                "namespace": "default",
                "uid": "1",
                "resourceVersion": "1",
                "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {"mill.dev/service": "web"},
            },
            "status": {"containerStatuses": [{"name": "web", "state": {"terminated": ended}}]},
        }
    )
    assert pod.ended is not None
    assert pod.ended.message == "login failed: password=***"
