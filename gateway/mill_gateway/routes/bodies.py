"""JSON bodies and `.mill` files, which a route reads after it has checked access.

FastAPI would read and validate a body before the route runs, for every caller with any token.
"""

import json
from typing import Any, Final, TypeVar

from fastapi import HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, ValidationError
from pydantic_core import PydanticCustomError

from mill_api.spec import MillDeploymentSpec
from mill_gateway.errors import is_json
from mill_gateway.exceptions.deployments import InvalidMillFile
from mill_language import InvalidConfig, parse

MISSING: Final = {"type": "missing", "loc": ("body",), "msg": "Field required"}

_Body = TypeVar("_Body", bound=BaseModel)


async def json_body(request: Request, model: type[_Body]) -> _Body:
    """Read and validate a JSON body. Call it after the access check.

    Raise the exceptions that FastAPI raises for a body, so that `errors` answers both alike.
    """
    if not is_json(request.headers.get("content-type", "")):
        raise _wrong(MISSING)  # answered with 415
    content = await request.body()
    if not content:
        raise _wrong(MISSING)
    try:
        given = json.loads(content)
    except json.JSONDecodeError as error:
        found = {"type": "json_invalid", "loc": ("body", error.pos), "msg": "JSON decode error"}
        raise _wrong({**found, "ctx": {"error": error.msg}}) from error
    except (ValueError, RecursionError) as error:  # not UTF-8, a number with too many digits, nested too deeply
        raise HTTPException(400, "There was an error parsing the body") from error
    try:
        return model.model_validate(given)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in problems]) from None


async def parse_file(text: bytes) -> MillDeploymentSpec:
    """Return the spec of a `.mill` file. Raise `InvalidMillFile` with all of its problems."""
    try:
        return await run_in_threadpool(parse, text)
    except InvalidConfig as error:
        problems = [each.to_json() for each in error.diagnostics]
        raise InvalidMillFile(f"invalid config: {error}", diagnostics=problems) from error


def at_most(most: int) -> BeforeValidator:
    """Refuse a map with more entries before they are validated: each invalid one would be a problem of its own."""

    def check(given: object) -> object:
        if isinstance(given, dict) and len(given) > most:
            raise PydanticCustomError("too_long", "should have at most {most} entries", {"most": most})
        return given

    return BeforeValidator(check)


def _wrong(problem: dict[str, Any]) -> RequestValidationError:
    return RequestValidationError([problem])
