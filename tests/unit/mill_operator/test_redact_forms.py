"""No credential of these forms is left; lines that only speak of credentials stay as they are."""

import re

import pytest

from mill_operator.core.redaction import MARK
from mill_operator.core.redaction.redact import redact

from .credential_forms import BLOCKS, FORMS, HARMLESS, PEM

RUN = 4
"""Number of consecutive characters of a value that count as a leak."""


def _marked(form: str) -> tuple[str, list[str]]:
    return form.replace("«", "").replace("»", ""), re.findall("«(.*?)»", form, re.DOTALL)


def _leaks(value: str, left: str) -> set[str]:
    value = value.replace("\0", "")
    return {run for at in range(len(value) - RUN + 1) if (run := value[at : at + RUN]) in left}


@pytest.mark.parametrize("form", [*FORMS, *BLOCKS])
def test_nothing_of_a_value_is_left(form: str) -> None:
    text, values = _marked(form)
    left = redact(text)
    assert values
    assert not set.union(*(_leaks(value, left) for value in values)), left
    assert MARK in left
    assert redact(left) == left


@pytest.mark.parametrize("form", [*FORMS, *BLOCKS])
def test_nothing_of_a_value_is_left_among_other_lines(form: str) -> None:
    text, values = _marked(form)
    left = redact(f"starting\nlistening on port 80\n{text}\npanic: no more\nexit code 2")
    assert not set.union(*(_leaks(value, left) for value in values)), left
    assert left.startswith("starting\nlistening on port 80\n")


@pytest.mark.parametrize("line", HARMLESS)
def test_a_line_without_a_credential_stays(line: str) -> None:
    assert redact(line) == line


def test_the_table_has_all_forms() -> None:
    assert len(FORMS) + len(BLOCKS) >= 130
    assert len(HARMLESS) >= 30


def test_a_certificate_is_public() -> None:
    text = f"-----BEGIN CERTIFICATE-----\n{PEM}\n{PEM}\n-----END CERTIFICATE-----\nexpired"
    assert redact(text) == text
