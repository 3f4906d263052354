"""What goes wrong on the way to the gateway, in words, and what to do about it."""

import errno
import json
import os
import shlex
import ssl
import urllib.request
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from mill_cli.connection.target import Direct, Target, ThroughCluster
from mill_cli.errors import CliError, Exit
from mill_cli.output.text import one_line

UNAVAILABLE: Final = (502, 503, 504)
"""Of a gateway that has only just started, or of something in between while there is none."""
_SHOWN: Final = 500
"""Characters of an answer that is no error of ours."""


class Refused(CliError):
    """The gateway, or something before it, answered with an error."""

    def __init__(self, status: int, body: Any, message: str, *advice: str) -> None:
        super().__init__(Exit.FAILED, message, *advice)
        self.status = status
        self.body: dict[str, Any] = body if isinstance(body, dict) else {}


class Unanswered(CliError):
    """There was no answer; `sent` says whether the request may have been received."""

    def __init__(self, code: Exit, message: str, *advice: str, sent: bool) -> None:
        super().__init__(code, message, *advice)
        self.sent = sent


def refused(response: httpx.Response, content: bytes, target: Target, *, token: bool) -> Refused:
    """Return what a refusal says. `content` is its body, as far as it was read; `token`: whether one was sent."""
    status = response.status_code
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict) and isinstance(body.get("error"), str):
        message = body["error"]
    elif isinstance(body, dict) and body.get("kind") == "Status":  # of the API server, before the gateway
        message = f"the API server answered {status}: {one_line(str(body.get('message', '')))}"
    else:
        message = f"HTTP {status}: {one_line(content[: 4 * _SHOWN].decode(errors='replace'))[:_SHOWN]}"
    advice = []
    if isinstance(body, dict) and body.get("kind") == "Status" and status in (404, 503):
        advice.append("--gateway says which Service the gateway is")
    if status == 401:
        advice += _token_advice(body, message, target, token=token)
    if status >= 500 and isinstance(body, dict) and body.get("request_id"):
        advice.append(f"the gateway's log has more under request {body['request_id']}")
    return Refused(status, body, message, *advice)


def _token_advice(body: Any, message: str, target: Target, *, token: bool) -> list[str]:
    """Return what to do where nobody knows who asks."""
    if isinstance(body, dict) and body.get("kind") == "Status":
        return ["kubectl's login to the cluster is not accepted: `kubectl auth whoami` tries it"]
    advice = ["the token is not accepted: is it still valid?" if token else "set MILL_TOKEN to a token of it"]
    if "kubectl create token" not in message and (isinstance(target, ThroughCluster) or _kubeconfig()):
        context = f" --context {shlex.quote(target.context)}" if isinstance(target, ThroughCluster) else ""
        advice.append(
            f"`export MILL_TOKEN=$(kubectl{context} create token SERVICEACCOUNT --audience mill)` makes one of a "
            "ServiceAccount"
        )
    return advice


def no_json(response: httpx.Response, error: Exception) -> CliError:
    """Return what is said of an answer that should be JSON."""
    return CliError(
        Exit.FAILED,
        f"HTTP {response.status_code}: invalid JSON: {error}",
        f"is {_origin(response.url)} a mill gateway?",
    )


def no_stream(response: httpx.Response) -> CliError:
    """Return what is said of an answer that should be a stream of events."""
    kind = response.headers.get("Content-Type", "").partition(";")[0] or "something without a type"
    return CliError(
        Exit.FAILED,
        f"HTTP {response.status_code}: {one_line(kind)} instead of events",
        f"is {_origin(response.url)} a mill gateway?",
    )


def unanswered(error: httpx.TransportError, target: Target) -> Unanswered:
    """Return why a request had no answer."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
        return _unconnected(error, target)
    why = "no answer in time" if isinstance(error, httpx.TimeoutException) else error_text(error)
    return Unanswered(Exit.FAILED, f"request failed: {why} ({target})", "try again", sent=True)


def _unconnected(error: httpx.TransportError, target: Target) -> Unanswered:
    cause = _cause(error)
    if isinstance(error, httpx.ProxyError):
        message, advice = (
            f"the proxy does not let through: {error_text(error)}",
            ["NO_PROXY names hosts without a proxy"],
        )
    elif isinstance(error, httpx.ConnectTimeout):
        message, advice = f"nobody answers ({target})", ["is the address right, and does a firewall let through?"]
    elif isinstance(cause, ssl.SSLCertVerificationError):
        message = f"the certificate is not trusted: {cause.verify_message} ({target})"
        advice = ["--ca-file trusts further authorities"]
    elif isinstance(cause, ssl.SSLError):
        message, advice = f"no TLS there: {cause.reason} ({target})", ["is it http:// rather than https://?"]
    elif isinstance(cause, OSError) and cause.errno not in (None, errno.ECONNREFUSED):
        message, advice = f"cannot connect: {cause.strerror or error_text(error)} ({target})", ["is the address right?"]
    else:
        message, advice = f"connection refused — is the cluster running? ({target})", []
    if isinstance(target, Direct) and not isinstance(error, httpx.ProxyError):
        advice += _proxies(target.address)
    if isinstance(target, Direct) and not target.chosen:
        advice.append("--address or MILL_ADDRESS says where the gateway is")
    if isinstance(target, Direct) and _kubeconfig():
        advice.append("--context reaches the gateway of a kubeconfig's cluster")
    return Unanswered(Exit.CANNOT_CONNECT, message, *advice, sent=False)


def _proxies(address: str) -> list[str]:
    """Return what to do about a proxy that is asked for an address."""
    scheme, host = urlsplit(address).scheme, urlsplit(address).hostname or ""
    proxies = urllib.request.getproxies()
    if (scheme not in proxies and "all" not in proxies) or urllib.request.proxy_bypass(host):
        return []
    return [f"a proxy of the environment is asked for it ({scheme.upper()}_PROXY): NO_PROXY={host} goes past it"]


def _origin(url: httpx.URL) -> str:
    """Return what comes before the path, without a password."""
    return f"{url.scheme}://{url.netloc.decode()}"


def _cause(error: BaseException) -> BaseException:
    """Return the first error of a chain."""
    while (before := error.__cause__ or error.__context__) is not None:
        error = before
    return error


def error_text(error: Exception) -> str:
    """Return what an error says of itself, or else its kind."""
    return one_line(str(error)) or type(error).__name__


def _kubeconfig() -> bool:
    """Tell whether this user has a way to a cluster."""
    files = os.environ.get("KUBECONFIG", "").split(os.pathsep)
    return any(Path(each).is_file() for each in [*files, str(Path("~/.kube/config").expanduser())] if each)
