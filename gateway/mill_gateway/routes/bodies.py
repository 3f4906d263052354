"""JSON bodies, which a route reads when it knows that their sender may do what they ask for.

The framework would read and validate a body before the route's first question, for everybody who has any token.
"""

import json
from typing import Any, Final, TypeVar

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, ValidationError
from pydantic_core import PydanticCustomError

from mill_gateway.errors import is_json

MISSING: Final = {"type": "missing", "loc": ("body",), "msg": "Field required"}

_Body = TypeVar("_Body", bound=BaseModel)


async def json_body(request: Request, model: type[_Body]) -> _Body:
    """Read and validate a JSON body. To be called after the right was asked for.

    Raise what the framework raises for a body that it reads itself, so that `errors` says in words what is wrong.
    """
    if not is_json(request.headers.get("content-type", "")):
        raise _wrong(MISSING)  # which is told as 415
    content = await request.body()
    if not content:
        raise _wrong(MISSING)
    try:
        given = json.loads(content)
    except json.JSONDecodeError as error:
        found = {"type": "json_invalid", "loc": ("body", error.pos), "msg": "JSON decode error"}
        raise _wrong({**found, "ctx": {"error": error.msg}}) from error
    except (ValueError, RecursionError) as error:  # not UTF-8, numbers without end, nesting without end
        raise HTTPException(400, "There was an error parsing the body") from error
    try:
        return model.model_validate(given)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in problems]) from None


def at_most(most: int) -> BeforeValidator:
    """Refuse a map with more entries before any is looked at: each wrong one would make a problem of its own."""

    def check(given: object) -> object:
        if isinstance(given, dict) and len(given) > most:
            raise PydanticCustomError("too_long", "should have at most {most} entries", {"most": most})
        return given

    return BeforeValidator(check)


def _wrong(problem: dict[str, Any]) -> RequestValidationError:
    return RequestValidationError([problem])
