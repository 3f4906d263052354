"""The operator's settings and their documentation."""

from datetime import timedelta
from pathlib import Path

import pytest

from mill_operator import settings as module
from mill_operator.settings import Settings
from mill_process.settings import SettingsError, load, table

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "settings.md"


def test_the_documentation_has_the_generated_table() -> None:
    assert table(Settings) in DOCUMENTATION.read_text(), f"docs/settings.md should have:\n\n{table(Settings)}"


@pytest.mark.parametrize(
    ("named", "account", "expected"),
    [
        (None, None, "default"),
        (None, "mill-system\n", "mill-system"),
        ("elsewhere", "mill-system", "elsewhere"),
        ("elsewhere", None, "elsewhere"),
    ],
)
def test_the_lease_is_in_the_namespace_that_is_named_or_the_pods(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: str | None, account: str | None, expected: str
) -> None:
    file = tmp_path / "namespace"
    if account is not None:
        file.write_text(account)
    monkeypatch.setattr(module, "ACCOUNT_NAMESPACE", file)
    assert Settings(lease_namespace=named).namespace_of_lease == expected


def test_the_time_until_a_version_has_settled_is_one_of_the_options_of_all_objects() -> None:
    given = {"MILL_SETTLE": "1m30s"}
    settings = load(Settings, [], given, program="mill-operator", about="")
    assert settings.render_options.settle == timedelta(seconds=90)
    assert Settings().render_options.settle == timedelta(seconds=10)


@pytest.mark.parametrize("given", ["10", "5m1s", "-1s"])
def test_a_time_out_of_its_range_is_refused(given: str) -> None:
    with pytest.raises(SettingsError, match=r"MILL_SETTLE=.*must be a duration from 0s to 5m"):
        load(Settings, [], {"MILL_SETTLE": given}, program="mill-operator", about="")


def test_the_former_name_of_the_watched_namespace_still_works() -> None:
    warnings: list[str] = []
    given = {"MILL_NAMESPACE": "shop"}
    settings = load(Settings, [], given, program="mill-operator", about="", warn=warnings.append)
    assert settings.watch_namespace == "shop"
    assert [warning.split(";")[0] for warning in warnings] == ["MILL_NAMESPACE is now MILL_WATCH_NAMESPACE"]
