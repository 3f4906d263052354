"""Admin tokens: several, limited to namespaces, read again when their file changes."""

import logging
import os
from pathlib import Path

import pytest

from mill_gateway.access.tokens import CHECK_SECONDS, InvalidTokens, Token, Tokens, parse
from mill_gateway.settings import Settings
from mill_process.settings import SettingsError


class Clock:
    """A clock that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_line_has_a_token_and_its_namespaces() -> None:
    assert parse("first-token\n\n  second-token   a,b,\n") == (
        Token("first-token"),
        Token("second-token", frozenset({"a", "b"})),
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the file has no token"),
        ("\n \n", "the file has no token"),
        ("long-enough\nshort", "line 2: the token has fewer than 8 characters"),
        ("long-enough a b", "line 1: more than a token and its namespaces (a,b)"),
        ("long-enough ,", "line 1: the text after the token is not a list of namespaces (a,b)"),
        ("long-enough a,B", "line 1: the text after the token is not a list of namespaces (a,b)"),
        ("l\u00f6ng-enough", "line 1: the token has characters that are not ASCII, which a header cannot carry"),
        ("long-enough a\n\nlong-enough", "line 3: the token of line 1 again"),
        ("short\nlong-enough a b", "line 1: the token has fewer than 8 characters; line 2: more than a token and its"),
    ],
)
def test_problems_are_reported_without_the_token(text: str, problem: str) -> None:
    with pytest.raises(InvalidTokens) as refused:
        parse(text)
    assert str(refused.value).startswith(problem)
    assert not any(word in str(refused.value) for word in ("short", "enough"))


def test_a_token_is_not_in_its_repr() -> None:
    assert "very-secret" not in repr(Token("very-secret"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "tokens"
    made.write_text("first-token\nsecond-token shop\n")
    return made


def test_only_the_listed_tokens_are_found(file: Path) -> None:
    tokens = Tokens(Settings(admin_token="from-the-variable", admin_tokens_file=str(file)))
    assert tokens.find("from-the-variable") == Token("from-the-variable")
    assert tokens.find("first-token") == Token("first-token")
    assert tokens.find("second-token") == Token("second-token", frozenset({"shop"}))
    for wrong in ("", "first-toke", "first-token ", "first-token\nsecond-token shop", "t\u00f6ken"):
        assert tokens.find(wrong) is None


def test_a_changed_file_is_read_again(file: Path) -> None:
    clock = Clock()
    tokens = Tokens(Settings(admin_tokens_file=str(file)), clock)
    new = file.with_name("new")
    new.write_text("third-token\n")
    os.replace(new, file)  # noqa: PTH105 - as a mounted Secret changes
    assert tokens.find("third-token") is None, "looked at once a second at most"
    clock.now += CHECK_SECONDS
    assert tokens.find("third-token") == Token("third-token")
    assert tokens.find("first-token") is None


@pytest.mark.parametrize("broken", [None, "", "short", b"\xff\xfe long enough"])
def test_previous_tokens_stay_valid_while_the_file_is_missing_or_invalid(
    file: Path, broken: str | bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    tokens = Tokens(Settings(admin_tokens_file=str(file)), clock)
    if broken is None:
        file.unlink()
    else:
        file.write_bytes(broken if isinstance(broken, bytes) else broken.encode())
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            clock.now += CHECK_SECONDS
            assert tokens.find("first-token") == Token("first-token")
            assert tokens.find("") is None
    assert caplog.text.count("the previous tokens stay valid") == 1, "told once, not every second"
    file.write_text("third-token\n")
    clock.now += CHECK_SECONDS
    assert (tokens.find("first-token"), tokens.find("third-token")) == (None, Token("third-token"))


def test_an_invalid_file_at_startup_is_reported_by_its_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^MILL_ADMIN_TOKENS_FILE=.*: No such file or directory$"):
        Tokens(Settings(admin_tokens_file=str(tmp_path / "nowhere")))


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        ("short", "the token has fewer than 8 characters"),
        ("two-tokens of-them", "expected one token without spaces; MILL_ADMIN_TOKENS_FILE can have several"),
        ("\n", "expected one token without spaces; MILL_ADMIN_TOKENS_FILE can have several"),
    ],
)
def test_problems_of_variable_and_file_are_reported_together(token: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("secret\n")
    with pytest.raises(SettingsError) as refused:
        Tokens(Settings(admin_token=token, admin_tokens_file=str(file)))
    assert str(refused.value).splitlines() == [
        f"MILL_ADMIN_TOKEN: {problem}",
        f"MILL_ADMIN_TOKENS_FILE={file}: line 1: the token has fewer than 8 characters",
    ]


def test_a_variable_may_end_with_a_newline() -> None:
    assert Tokens(Settings(admin_token="long-enough\n")).find("long-enough") == Token("long-enough")


def test_a_mounted_secret_is_read_again_when_its_link_changes(tmp_path: Path) -> None:
    clock = Clock()
    for version, text in (("..1", "first-token\n"), ("..2", "other-token\n")):
        (tmp_path / version).mkdir()
        (tmp_path / version / "tokens").write_text(text)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "tokens").symlink_to("..data/tokens")
    tokens = Tokens(Settings(admin_tokens_file=str(tmp_path / "tokens")), clock)
    (tmp_path / "..data_tmp").symlink_to("..2")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    clock.now += CHECK_SECONDS
    assert (tokens.find("first-token"), tokens.find("other-token")) == (None, Token("other-token"))
