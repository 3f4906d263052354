"""The gateway's settings, and that their documentation is the truth."""

from pathlib import Path

import pytest

from mill_api.settings import SettingsError, table
from mill_gateway.settings import Settings

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "settings.md"


def test_the_documentation_has_the_table_as_it_is() -> None:
    assert table(Settings) in DOCUMENTATION.read_text(), f"docs/settings.md should have:\n\n{table(Settings)}"


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(listen_host="0.0.0.0", token="t"),  # noqa: S104
        Settings(listen_host="0.0.0.0", kubernetes_tokens=True),  # noqa: S104
        Settings(tls_cert="a", tls_key="b", drain=True),
    ],
)
def test_what_goes_together_is_taken(settings: Settings) -> None:
    settings.check()


def test_everything_that_does_not_go_together_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings(listen_host="0.0.0.0", tls_cert="a", drain=True, nodes=False).check()  # noqa: S104
    assert [line.split(" ")[0] for line in str(refused.value).splitlines()] == [
        "MILL_LISTEN_HOST=0.0.0.0:",
        "MILL_TLS_CERT,",
        "MILL_DRAIN=on",
    ]
