"""Codes of errors: one for each class, with a status, listed in docs/api.md."""

import re
from http import HTTPStatus
from pathlib import Path

import pytest

from mill_gateway.errors import PASSED_ON, STATUSES, status_of
from mill_gateway.exceptions.base import GatewayError, error_classes
from mill_gateway.exceptions.cluster import RefusedByCluster
from tests.support.gateway.served import Serve

API = Path(__file__).parents[3] / "docs" / "api.md"
CLASSES = list(error_classes())


def test_every_class_has_a_status_and_a_code_of_its_own() -> None:
    assert set(STATUSES) == set(CLASSES)
    codes = [each.code for each in CLASSES]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", each) for each in codes)


@pytest.mark.parametrize("error", CLASSES)
def test_each_class_has_a_docstring(error: type[GatewayError]) -> None:
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


@pytest.mark.parametrize(
    ("method", "path", "content", "code"),
    [
        ("GET", "/v2", "", "path_not_found"),
        ("PATCH", "/v1/services", "", "method_not_allowed"),
        ("GET", "/v1/logs/web?tail=x", "", "invalid_parameters"),
        ("PUT", "/v1/secrets/a", "{", "invalid_json"),
        ("PUT", "/v1/secrets/a", "[]", "invalid_body"),
        ("POST", "/v1/deploy", "service {", "invalid_mill_file"),
        ("DELETE", "/v1/tasks/nope", "", "run_not_found"),
    ],
)
async def test_errors_of_the_framework_have_codes_as_well(
    serve: Serve, method: str, path: str, content: str, code: str
) -> None:
    async with serve() as served:
        headers = {"Content-Type": "application/json", "X-Request-Id": "abc-1"}
        answer = await served.http.request(method, path, content=content, headers=headers)
    assert (answer.json()["code"], answer.json()["request"]) == (code, "abc-1")


async def test_a_body_without_a_content_type_has_a_code(serve: Serve) -> None:
    async with serve() as served:
        answer = await served.http.put("/v1/secrets/a", content="{}")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_content_type")
