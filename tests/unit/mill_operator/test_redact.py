"""No credential of these shapes reaches a status; other text stays."""

from typing import Any

import pytest

from mill_operator.core import limits
from mill_operator.core.observed.pods import project_pod
from mill_operator.core.redaction.redact import redact, redact_log, redact_shapes, redact_urls


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cannot reach postgres://app:hunter2@db:5432/app", "cannot reach postgres://***@db:5432/app"),
        ("redis://:hunter2@cache", "redis://***@cache"),
        ("amqp://app:hunter@2@queue:5672/vhost", "amqp://***@queue:5672/vhost"),
        ('{"url":"mysql://app:pw@db","to":"ops@example.com"}', '{"url":"mysql://***@db","to":"ops@example.com"}'),
        ("DB_PASSWORD=hunter2 PORT=80", "DB_PASSWORD=***"),
        ('{"password": "hunter 2", "port": 80}', '{"password": ***'),
        ("api-key: 'hunter2', next", "api-key: ***"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("got token=abc&user=x", "got token=***"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln end", "jwt *** end"),
        ("key -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- end", "key *** end"),
        ("cut off -----BEGIN EC PRIVATE KEY-----\nMIIE", "cut off ***"),
        ("MIIEowIBAAKCAQEA\nx7Vd\n-----END RSA PRIVATE KEY-----\nexit", "***\nexit"),
        ("skopeo-copies-everything-to-there", "skopeo-copies-everything-to-there"),
        ("exiting with code 1 after 4s", "exiting with code 1 after 4s"),
        ('secret "db.url" not found', 'secret "db.url" not found'),
        ("see https://docs.example/a@b", "see https://docs.example/a@b"),
        ("", ""),
    ],
)
def test_redact(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_texts_of_the_runtime_lose_only_credentials_in_urls() -> None:
    text = "failed to fetch oauth token: unexpected status from https://user:pw@auth.example/token: 401 Unauthorized"
    assert redact_urls(text) == text.replace("user:pw@", "***@")


def test_a_log_that_the_kubelet_has_cut_loses_its_first_line() -> None:
    """Half a credential has no shape by which it could be known."""
    rest = "\n".join(["another line"] * (limits.KUBELET_LOG_BYTES // 12))
    assert redact_log(f"ter2@db:5432/app refused\n{rest}") == rest
    assert redact_log("ter2@db:5432/app refused\nend") == "ter2@db:5432/app refused\nend"


def _crashed(message: str, reason: str = "Error") -> dict[str, Any]:
    ended = {"exitCode": 1, "reason": reason, "message": message}
    return {
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


def test_termination_messages_are_redacted_before_they_are_kept() -> None:
    pod = project_pod(_crashed("login failed: password=hunter2"))
    assert pod.container.ended is not None
    assert pod.container.ended.message == "login failed: password=***"


@pytest.mark.parametrize(
    ("message", "reason", "kept"),
    [
        ("user 4711 not found", "Error", ""),
        ("user 4711 not found", "OOMKilled", ""),
        ("exec /web: exec format error\n", "Error", "exec /web: exec format error\n"),
        ("OCI runtime create failed: no such file", "StartError", "OCI runtime create failed: no such file"),
    ],
)
def test_termination_messages_of_programs_can_be_left_out(message: str, reason: str, kept: str) -> None:
    pod = project_pod(_crashed(message, reason), logs=False)
    assert pod.container.ended is not None
    assert pod.container.ended.message == kept


def test_long_logs_keep_their_end_and_long_messages_their_beginning() -> None:
    pod = project_pod(_crashed("\n".join(f"{n} ä" for n in range(2000))))
    assert pod.container.ended is not None
    assert pod.container.ended.message.endswith("1999 ä")
    assert len(pod.container.ended.message.encode()) <= limits.TEXT_BYTES
    pod = project_pod(_crashed("first\n" + "ä" * 4000, "StartError"))
    assert pod.container.ended is not None
    assert pod.container.ended.message.startswith("first")
    assert len(pod.container.ended.message.encode()) <= limits.TEXT_BYTES


@pytest.mark.parametrize(
    "address",
    [
        "https://cdn.example/sha256/2d?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=EXAMPLE&X-Amz-Signature=0123abcd",
        "https://x.blob.example/blobs/data?sv=2016-05-31&sig=0123%3D&sp=r",
        "https://storage.example/o?X-Goog-Algorithm=GOOG4&X-Goog-Signature=0123abcd",
    ],
)
def test_of_a_signed_address_the_path_alone_is_kept(address: str) -> None:
    """It opens for some minutes to anybody who has it."""
    path = address.partition("?")[0]
    assert redact_shapes(f"Get {address}: i/o timeout") == f"Get {path}?***: i/o timeout"
    assert redact_shapes(f'Get "{address}": i/o timeout') == f'Get "{path}?***": i/o timeout'
