"""Whether others can read a token on its way."""

import pytest

from mill_cli.connection.exposure import exposure, is_loopback
from mill_cli.connection.target import Direct


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("mill.localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),  # noqa: S104 - an address to go to, not to listen on
        ("10.0.0.1", False),
        ("127.0.0.1.nip.io", False),
        ("localhost.example", False),
        ("mill-gateway.mill-system.svc", False),
        ("", False),
    ],
)
def test_which_hosts_are_this_machine(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("address", "proxies", "told"),
    [
        ("http://127.0.0.1:4400", {}, None),
        ("http://[::1]:4400", {}, None),
        ("https://gateway.example", {}, None),
        ("https://gateway.example", {"HTTPS_PROXY": "http://proxy.example:3128"}, None),
        ("http://gateway.example:4400", {}, "sent to gateway.example without encryption"),
        (
            "http://gateway.example",
            {"HTTP_PROXY": "http://p.example"},
            "sent to gateway.example through the proxy p.example ",
        ),
        (
            "http://gateway.example",
            {"ALL_PROXY": "p.example:80"},
            "sent to gateway.example through the proxy p.example ",
        ),
        (
            "http://127.0.0.1:4400",
            {"HTTP_PROXY": "http://p.example"},
            "help: set NO_PROXY=127.0.0.1 to connect without the proxy",
        ),
        ("http://127.0.0.1:4400", {"HTTP_PROXY": "http://p.example", "NO_PROXY": "127.0.0.1"}, None),
        ("http://127.0.0.1:4400", {"HTTP_PROXY": "http://127.0.0.1:3128"}, None),
        ("http://127.0.0.1:4400", {"HTTP_PROXY": "http://[::1"}, "through the proxy of the environment"),
    ],
)
def test_a_token_sent_without_encryption_has_a_warning(
    monkeypatch: pytest.MonkeyPatch, address: str, proxies: dict[str, str], told: str | None
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in proxies.items():
        monkeypatch.setenv(name, value)
    found = exposure(Direct(address, chosen=True), "tok")
    assert (found is None) if told is None else (found is not None and told in found)
    assert exposure(Direct(address, chosen=True), None) is None
