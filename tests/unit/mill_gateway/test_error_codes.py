"""Codes of errors: one for each class, with a status, listed in docs/api.md."""

import re
from http import HTTPStatus
from pathlib import Path

import pytest

from mill_gateway.errors import PASSED_ON, STATUSES, status_of
from mill_gateway.exceptions import GatewayError, RefusedByCluster, error_classes

API = Path(__file__).parents[3] / "docs" / "api.md"
CLASSES = list(error_classes())


def test_every_class_has_a_status_and_a_code_of_its_own() -> None:
    assert set(STATUSES) == set(CLASSES)
    codes = [each.code for each in CLASSES]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", each) for each in codes)


@pytest.mark.parametrize("error", CLASSES)
def test_the_class_says_when_it_happens(error: type[GatewayError]) -> None:
    assert error.__doc__ is not None
    assert error.__doc__ != GatewayError.__doc__


def test_the_documentation_lists_every_code_with_its_status() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| ([0-9]+)[^|]* \|", API.read_text(encoding="utf-8"), re.MULTILINE)
    sent = {each.code: str(status) for each, status in STATUSES.items() if status != 499}
    assert dict(rows) == sent
    assert len(rows) == len(sent)


@pytest.mark.parametrize("status", [*PASSED_ON, 400, 500])
def test_statuses_of_the_api_server_are_passed_on_if_they_concern_the_caller(status: int) -> None:
    expected = status if status in PASSED_ON else HTTPStatus.BAD_GATEWAY
    assert status_of(RefusedByCluster("refused", status=status)) == expected
