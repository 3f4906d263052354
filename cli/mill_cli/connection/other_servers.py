"""Answers of servers that are no gateway of Mill: which one answers, and what to check."""

import re
from typing import Final

from mill_cli.connection.target import Direct, Target
from mill_cli.connection.transport import Answer
from mill_cli.output.text import one_line

NOT_FOUND: Final = (404, 405, 501)
"""Answers of any other server to a path or method that it does not have."""
_BAD_REQUEST: Final = 400
_SHOWN: Final = 200
_TITLE: Final = re.compile(r"<title>([^<]{1,200})</title>", re.IGNORECASE)


def is_other_server(answer: Answer, body: object, content: bytes) -> bool:
    """Whether an answer is none of a gateway: JSON with `error`, or a Status of the API server before it."""
    if isinstance(body, dict) and (isinstance(body.get("error"), str) or body.get("kind") == "Status"):
        return False
    return answer.status in NOT_FOUND or _expects_tls(answer, content)


def is_page(answer: Answer) -> bool:
    """Whether an answer is a page for browsers."""
    return str(answer.headers.get("content-type", "")).lower().startswith("text/html")


def message(answer: Answer, content: bytes, target: Target) -> str:
    """Return what answered, and how."""
    server = one_line(str(answer.headers.get("server", "")))[:_SHOWN]
    text = content[: 4 * _SHOWN].decode(errors="replace")
    if is_page(answer):
        title = _TITLE.search(text)
        text = f"the page “{title[1]}”" if title else "a page"
    shown = one_line(text)[:_SHOWN]
    said = f"HTTP {answer.status}" + (f", {shown}" if shown else "")
    return f"no mill gateway answers there ({target}): {server or 'another server'} answered {said}"


def advice(answer: Answer, content: bytes, target: Target) -> str:
    """Return what to check."""
    if _expects_tls(answer, content):
        return "use https:// instead of http://"
    return wrong_address(target)


def wrong_address(target: Target) -> str:
    """Return what to check when something else listens at the address of the gateway."""
    if not isinstance(target, Direct):
        return "check --gateway: it names the Service of the gateway"
    if target.chosen:
        return "check the address: --address, MILL_ADDRESS"
    return "something else listens at the default address: set the gateway's with --address or MILL_ADDRESS"


def _expects_tls(answer: Answer, content: bytes) -> bool:
    """Whether a server says that it got plain HTTP on a port for TLS, as nginx and Go do."""
    is_plain = answer.url.startswith("http:")
    return answer.status == _BAD_REQUEST and is_plain and b"https" in content[: 4 * _SHOWN].lower()
