"""Errors between the command line and the gateway, with hints."""

import errno
import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from mill_cli.connection import other_servers
from mill_cli.connection.accidents import explain_accident
from mill_cli.connection.missing_names import explain_missing
from mill_cli.connection.proxies import has_proxy, is_bypassed
from mill_cli.connection.target import Direct, Target, ThroughCluster
from mill_cli.connection.transport import (
    Answer,
    AnswerTimeout,
    ConnectError,
    ConnectTimeout,
    NotHttp,
    ProxyError,
    TransportError,
)
from mill_cli.errors import CliError, Exit
from mill_cli.output.text import one_line

if TYPE_CHECKING:
    import ssl

NOT_FOUND: Final = 404
UNAVAILABLE: Final = (502, 503, 504)
"""Answers of a gateway that is starting, or of a proxy before it that finds none."""
_UNAUTHENTICATED: Final = "authentication_required"
_AUDIENCE: Final = re.compile(r"`kubectl create token [A-Z]+ --audience ([\w.:/-]{1,253})`")
"""What the gateway's error says about tokens of Kubernetes, if it accepts any."""
_USE_CONTEXT: Final = "use --context to connect to the gateway in the cluster of a kubeconfig context"
_API_SERVER: Final = "the address is that of a Kubernetes API server: use --context to connect through it"
_SAID: Final = ("request_id", "summary")
"""Fields of an answer that say what another one of it says."""
_SHOWN: Final = 500
"""Characters shown of an answer that is not an error of the gateway."""


class Refused(CliError):
    """The gateway, or a proxy before it, answered with an error."""

    def __init__(self, status: int, body: Any, message: str, *advice: str, kind: str = "") -> None:
        self.status = status
        self.body: dict[str, Any] = body if isinstance(body, dict) else {}
        code = self.body.get("code")
        own = code if isinstance(code, str) else ""
        super().__init__(Exit.FAILED, message, *advice, kind=kind or own or "http_error")

    def to_json(self) -> dict[str, Any]:
        """Return the error with its status and whatever else the gateway answered, such as `diagnostics`."""
        own = super().to_json() | {"status": self.status}
        more = {} if self.body.get("kind") == "Status" else self.body  # the API server's has nothing that helps
        return own | {key: value for key, value in more.items() if key not in (*own, *_SAID)}


class NotAGateway(Refused):
    """Another server answered, of which nothing is known."""

    def __init__(self, answer: Answer, content: bytes, target: Target) -> None:
        hints = [other_servers.advice(answer, content, target)]
        if isinstance(target, Direct) and _kubeconfig():
            hints.append(_USE_CONTEXT)
        message = other_servers.message(answer, content, target)
        super().__init__(answer.status, None, message, *hints, kind="not_a_gateway")
        self.code = Exit.CANNOT_CONNECT


class Unanswered(CliError):
    """There was no answer. `sent`: whether the gateway may have received the request."""

    def __init__(self, code: Exit, message: str, *advice: str, sent: bool) -> None:
        super().__init__(code, message, *advice, kind="no_answer" if sent else "cannot_connect")
        self.sent = sent


def refused(answer: Answer, content: bytes, target: Target, *, token: bool) -> Refused:
    """Return the error of an answer. `content` is its body, perhaps cut; `token`: whether the request had one."""
    status = answer.status
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    if other_servers.is_other_server(answer, body, content):
        return NotAGateway(answer, content, target)
    context = target.context if isinstance(target, ThroughCluster) else None
    explained = None
    if isinstance(body, dict):
        explained = explain_missing(body, context) if status == NOT_FOUND else explain_accident(body)
    if explained is not None:
        return Refused(status, body, explained[0], *explained[1])
    if isinstance(body, dict) and body.get("code") == _UNAUTHENTICATED:
        message = "the gateway does not accept the token" if token else "the gateway requires a token"
    elif isinstance(body, dict) and isinstance(body.get("error"), str):
        message = body["error"]
    elif isinstance(body, dict) and body.get("kind") == "Status":  # of the API server, before the gateway
        message = f"the API server answered {status}: {one_line(str(body.get('message', '')))}"
    else:
        message = f"HTTP {status}: {one_line(content[: 4 * _SHOWN].decode(errors='replace'))[:_SHOWN]}"
    advice = []
    if isinstance(body, dict) and body.get("kind") == "Status" and status in (404, 503):
        advice.append(
            "set --gateway to the Service of the gateway" if isinstance(target, ThroughCluster) else _API_SERVER
        )
    if status == 401:
        advice += _token_advice(body, message, target, token=token)
    if status >= 500 and isinstance(body, dict) and body.get("request_id"):
        advice.append(f"see request {body['request_id']} in the gateway's log")
    return Refused(status, body, message, *advice)


def _token_advice(body: Any, message: str, target: Target, *, token: bool) -> list[str]:
    """Return the hints for a caller that is not authenticated."""
    if isinstance(body, dict) and body.get("kind") == "Status":
        return ["the cluster does not accept kubectl's credentials: check them with `kubectl auth whoami`"]
    advice = [
        "check that the token is a valid one of this gateway" if token else "set MILL_TOKEN to a token of the gateway"
    ]
    found = _AUDIENCE.search(str(body.get("error", ""))) if isinstance(body, dict) else None
    has_cluster = found is not None or isinstance(target, ThroughCluster) or _kubeconfig()
    if has_cluster and "kubectl create token" not in message:
        context = f" --context {shlex.quote(target.context)}" if isinstance(target, ThroughCluster) else ""
        audience = found[1] if found is not None else "mill"
        advice.append(
            f"create a token of a ServiceAccount: `export MILL_TOKEN=$(kubectl{context} create token SERVICEACCOUNT "
            f"--audience {audience})`"
        )
    return advice


def no_json(answer: Answer, content: bytes, target: Target, error: Exception) -> CliError:
    """Return the error for an answer that should be JSON."""
    if other_servers.is_page(answer):
        return NotAGateway(answer, content, target)
    return CliError(
        Exit.FAILED,
        f"HTTP {answer.status}: invalid JSON: {error}",
        f"check that {_origin(answer.url)} is a mill gateway",
        kind="unexpected_answer",
    )


def no_stream(answer: Answer) -> CliError:
    """Return the error for an answer that should be a stream of events."""
    kind = answer.headers.get("content-type", "").partition(";")[0] or "no content type"
    return CliError(
        Exit.FAILED,
        f"HTTP {answer.status}: {one_line(kind)} instead of events",
        f"check that {_origin(answer.url)} is a mill gateway",
        kind="unexpected_answer",
    )


def unanswered(error: TransportError, target: Target) -> Unanswered:
    """Return the error for a request without an answer."""
    if isinstance(error, ConnectError):
        return _unconnected(error, target)
    if _is_plain_to_tls(error, target):
        return Unanswered(
            Exit.CANNOT_CONNECT, f"the server expects TLS ({target})", _with_scheme("https", target), sent=False
        )
    if isinstance(error, NotHttp):
        message = f"no mill gateway answers there ({target}): the answer is not HTTP"
        return Unanswered(Exit.CANNOT_CONNECT, message, other_servers.wrong_address(target), sent=False)
    why = "no answer in time" if isinstance(error, AnswerTimeout) else error_text(error)
    return Unanswered(Exit.FAILED, f"request failed: {why} ({target})", "try again", sent=True)


def _is_plain_to_tls(error: TransportError, target: Target) -> bool:
    """Whether plain HTTP was sent to a server for TLS: such servers close the connection, most without a word."""
    if not isinstance(target, Direct) or isinstance(error, AnswerTimeout):
        return False
    if urlsplit(target.address).scheme != "http" or _proxies(target.address):
        return False
    from mill_cli.connection.tls import expects_tls

    return expects_tls(target.address)


def _with_scheme(scheme: str, target: Target) -> str:
    """Return the hint to use the same address with another scheme."""
    place = target.place if isinstance(target, Direct) else ""
    return f"use {scheme}:// in the address: {scheme}://{place.partition('://')[2]}"


def _unconnected(error: TransportError, target: Target) -> Unanswered:
    cause = _cause(error)
    tls = sys.modules.get("ssl")  # without it there was no TLS
    if isinstance(error, ProxyError):
        message, advice = (
            f"the proxy refused the connection: {error_text(error)}",
            ["set NO_PROXY to the hosts to reach without a proxy"],
        )
    elif isinstance(error, ConnectTimeout):
        message, advice = f"connection timed out ({target})", ["check the address, and that no firewall blocks it"]
    elif tls is not None and isinstance(cause, tls.SSLError):
        message, advice = _handshake(cause, target)
    elif isinstance(cause, OSError) and cause.errno not in (None, errno.ECONNREFUSED):
        message, advice = f"cannot connect: {cause.strerror or error_text(error)} ({target})", ["check the address"]
    else:
        message, advice = f"connection refused — is the cluster running? ({target})", []
    if isinstance(target, Direct) and not isinstance(error, ProxyError):
        advice += _proxies(target.address)
    if isinstance(target, Direct) and not target.chosen:
        advice.append("set the gateway's address with --address or MILL_ADDRESS")
    if isinstance(target, Direct) and _kubeconfig():
        advice.append(_USE_CONTEXT)
    if isinstance(target, Direct) and not target.chosen:
        advice.append("`make start` in the repository of mill starts a gateway on this machine")
    return Unanswered(Exit.CANNOT_CONNECT, message, *advice, sent=False)


def _handshake(cause: "ssl.SSLError", target: Target) -> tuple[str, list[str]]:
    """Return the message and the hints for a TLS handshake that has failed."""
    from mill_cli.connection.tls import is_plain_answer, untrusted

    if (why := untrusted(cause)) is not None:
        return f"the certificate is not trusted: {why} ({target})", [
            "trust another certificate authority with --ca-file"
        ]
    if isinstance(target, Direct) and is_plain_answer(cause):
        return f"the server does not use TLS ({target})", [_with_scheme("http", target)]
    return f"TLS handshake failed: {cause.reason} ({target})", [
        "check whether the address should be http:// instead of https://"
    ]


def _proxies(address: str) -> list[str]:
    """Return the hints about the proxy that the environment sets for an address."""
    scheme, host = urlsplit(address).scheme, urlsplit(address).hostname or ""
    if not has_proxy(scheme) or is_bypassed(host):
        return []
    return [f"the environment sets a proxy ({scheme.upper()}_PROXY): use NO_PROXY={host} to connect without it"]


def _origin(url: str) -> str:
    """Return the origin of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _cause(error: BaseException) -> BaseException:
    """Return the first error of a chain."""
    while (before := error.__cause__ or error.__context__) is not None:
        error = before
    return error


def error_text(error: Exception) -> str:
    """Return the text of an error, or its type if it has none."""
    return one_line(str(error)) or type(error).__name__


def _kubeconfig() -> bool:
    """Whether this user has a kubeconfig."""
    files = os.environ.get("KUBECONFIG", "").split(os.pathsep)
    return any(Path(each).is_file() for each in [*files, str(Path("~/.kube/config").expanduser())] if each)
