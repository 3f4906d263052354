"""The web page at `/`. Its files contain no data of the cluster: it requests them from the API."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated, Final

from fastapi import APIRouter, Header
from fastapi.responses import Response

from mill_gateway.exceptions.requests import PathNotFound

router = APIRouter(include_in_schema=False)

TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
"""Security headers: no content of other sites, and no frame of other sites around the page."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of the page."""

    content: bytes
    kind: str
    tag: str


def _read() -> dict[str, File]:
    found = {}
    for each in files("mill_gateway").joinpath("page").iterdir():
        content = each.read_bytes()
        suffix = each.name[each.name.rindex(".") :]
        found[each.name] = File(content, TYPES[suffix], f'"{hashlib.sha256(content).hexdigest()[:16]}"')
    return found


FILES: Final = _read()
IfNoneMatch = Annotated[str | None, Header()]


@router.get("/", summary="The page")
async def page(if_none_match: IfNoneMatch = None) -> Response:
    """Return the page."""
    return _answer("index.html", if_none_match)


@router.get("/page/{name}", summary="A file of the page")
async def file(name: str, if_none_match: IfNoneMatch = None) -> Response:
    """Return a file of the page."""
    return _answer(name, if_none_match)


def _answer(name: str, known: str | None) -> Response:
    found = FILES.get(name)
    if found is None:
        raise PathNotFound("the page has no such file")
    headers = {**HEADERS, "ETag": found.tag}
    if known == found.tag:
        return Response(status_code=304, headers=headers)
    return Response(found.content, headers={**headers, "Content-Type": found.kind})
