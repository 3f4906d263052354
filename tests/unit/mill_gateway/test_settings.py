"""Settings of the gateway, and their documentation."""

import socket
from pathlib import Path
from typing import Any

import pytest

from mill_gateway.process import _listen
from mill_gateway.server.connections import Connections
from mill_gateway.settings import Settings
from mill_process.settings import SettingsError, flag, load, table, variable

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "settings.md"


def test_the_documentation_has_the_table_of_settings() -> None:
    assert table(Settings) in DOCUMENTATION.read_text(), f"docs/settings.md should have:\n\n{table(Settings)}"


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(listen_host="0.0.0.0", admin_token="t"),  # noqa: S104
        Settings(listen_host="0.0.0.0", kubernetes_tokens=True),  # noqa: S104
        Settings(tls_cert="a", tls_key="b", drain=True),
    ],
)
def test_valid_combinations_pass(settings: Settings) -> None:
    settings.check()


@pytest.mark.parametrize(
    ("former", "name"),
    [
        ("namespace", "default_namespace"),
        ("token", "admin_token"),
        ("token_file", "admin_tokens_file"),
    ],
)
def test_a_former_name_works_and_is_warned_of_without_its_value(former: str, name: str) -> None:
    for given in ({"environment": {variable(former): "a-value"}}, {"arguments": [flag(former), "a-value"]}):
        warnings: list[str] = []
        call: dict[str, Any] = {"arguments": [], "environment": {}, **given}
        settings = load(Settings, **call, program="mill-gateway", about="", warn=warnings.append)
        assert getattr(settings, name) == "a-value"
        assert len(warnings) == 1
        assert "a-value" not in warnings[0]
        assert any(warnings[0].startswith(f"{form(former)} is now {form(name)};") for form in (variable, flag))


def test_all_invalid_combinations_are_reported() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings(listen_host="0.0.0.0", tls_cert="a", drain=True, nodes=False).check()  # noqa: S104
    assert [line.split(" ")[0] for line in str(refused.value).splitlines()] == [
        "MILL_LISTEN_HOST=0.0.0.0:",
        "MILL_TLS_CERT,",
        "MILL_DRAIN=true",
    ]


@pytest.mark.parametrize(
    ("given", "audiences"),
    [("mill", ("mill",)), (" mill , https://mill.example ,", ("mill", "https://mill.example"))],
)
def test_audiences_are_a_list(given: str, audiences: tuple[str, ...]) -> None:
    settings = load(Settings, [], {"MILL_TOKEN_AUDIENCES": given}, program="mill-gateway", about="")
    assert settings.token_audiences == audiences


def test_a_list_of_audiences_is_not_empty() -> None:
    with pytest.raises(SettingsError, match="MILL_TOKEN_AUDIENCES= , : must not be empty"):
        load(Settings, [], {"MILL_TOKEN_AUDIENCES": " , "}, program="mill-gateway", about="")


def test_an_address_in_use_is_reported_by_its_settings() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(listen_port=taken.getsockname()[1])
        with pytest.raises(SettingsError, match=r"MILL_LISTEN_PORT=\d+: cannot listen: Address already in use"):
            _listen(settings, Connections(1, 1))


def test_the_gateway_listens_on_all_addresses_of_a_name() -> None:
    listeners = _listen(Settings(listen_host="localhost", listen_port=0), Connections(1, 1))
    assert listeners
    for each in listeners:
        each.close()


@pytest.mark.parametrize(
    ("name", "default", "allowed"),
    [
        ("body_seconds", 30, (1, 3600)),
        ("body_rest_seconds", 10, (1, 600)),
        ("max_problems", 20, (1, 1000)),
    ],
)
def test_a_limit_is_a_number_in_a_range(name: str, default: int, allowed: tuple[int, int]) -> None:
    assert getattr(Settings(), name) == default
    for value in allowed:
        settings = load(Settings, [], {variable(name): str(value)}, program="mill-gateway", about="")
        assert getattr(settings, name) == value
    for value in (allowed[0] - 1, allowed[1] + 1):
        with pytest.raises(SettingsError, match=f"{variable(name)}={value}: must be a number from"):
            load(Settings, [], {variable(name): str(value)}, program="mill-gateway", about="")
