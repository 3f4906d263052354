"""HTTP client of the gateway: requests, answers and errors."""

import contextlib
import shlex
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote, urljoin, urlsplit

from mill_cli.connection.bodies import LONGEST_ANSWER, LONGEST_REFUSAL, loads, read_bounded
from mill_cli.connection.direct import DirectClient
from mill_cli.connection.exposure import exposure
from mill_cli.connection.failures import no_json, refused, unanswered
from mill_cli.connection.proxies import environment_proxies
from mill_cli.connection.target import Direct, target
from mill_cli.connection.token import read_token
from mill_cli.connection.transport import Answer, Client, HttpRequest, TransportError, json_content
from mill_cli.errors import CliError, Exit
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.text import one_line

ANSWER_SECONDS: Final = 120.0
"""Timeout of an answer: a spawn waits a minute for its program to start."""
_MOST_REDIRECTS: Final = 5


def path(*parts: str) -> str:
    """Return the path of a route, its parts quoted."""
    return "/v1/" + "/".join(quote(each, safe="") for each in parts)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _timestamp(date: str) -> float | None:
    """Return the time of a header such as `Sat, 31 Jan 2026 12:00:00 GMT` in seconds since 1970."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


class Gateway:
    """Connection to one gateway, as a context manager."""

    def __init__(self, options: Options, *, warn: Callable[[str], None] | None = screen.note) -> None:
        """`warn` gets the warning before a token is sent where others can read it."""
        self.options = options
        self._warn = warn
        self._token: str | None = None
        self.target = target(options)
        self.closed = False
        """Whether the context has ended: a stream that ends then in another thread was not lost."""
        self._open = contextlib.ExitStack()
        self._client: Client

    def __enter__(self) -> Self:
        self._token = read_token(self.options, self._warn)
        if isinstance(self.target, Direct):
            self._client = self._connect(self.target.address)
            if self._warn is not None and (exposed := exposure(self.target, self._token)) is not None:
                self._warn(exposed)
        else:
            from mill_cli.connection.proxy import kubectl_proxy

            socket = self._open.enter_context(kubectl_proxy(self.target))
            # The API server does not forward `Authorization`; it forwards this header.
            headers = {"Mill-Token": self._token} if self._token else {}
            address = f"http://localhost{self.target.path}"
            self._client = self._open.enter_context(
                contextlib.closing(DirectClient(address, headers, unix_socket=socket))
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closed = True
        self._open.close()

    def get(self, path: str, **query: str) -> Any:
        """Return the JSON of a route. Raise `CliError`."""
        return self.request("GET", path, query=query)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        content: bytes | None = None,
        json: Any = None,
    ) -> Any:
        """Return the JSON of an answer, None if it is empty; the body is `content` or `json`. Raise `CliError`."""
        headers = {}
        if json is not None:
            content, headers = json_content(json), {"Content-Type": "application/json"}
        with self.send(method, path, read=ANSWER_SECONDS, query=query, content=content, headers=headers) as answer:
            return self._json(answer)

    def get_with_time(self, path: str, **query: str) -> tuple[Any, float | None]:
        """Return the JSON of a route, and the gateway's time in seconds since 1970 if it says so. Raise `CliError`.

        The clock of this machine may differ from that.
        """
        return self.request_with_time("GET", path, query)

    def request_with_time(self, method: str, path: str, query: dict[str, str]) -> tuple[Any, float | None]:
        """Return the JSON of an answer, and the gateway's time as `get_with_time` does. Raise `CliError`."""
        with self.send(method, path, read=ANSWER_SECONDS, query=query) as answer:
            return self._json(answer), _timestamp(answer.headers.get("date", ""))

    def _json(self, answer: Answer) -> Any:
        try:
            content = read_bounded(answer, LONGEST_ANSWER)
        except TransportError as error:
            raise unanswered(error, self.target) from error
        try:
            return loads(content) if content else None
        except (ValueError, RecursionError) as error:
            raise no_json(answer, content, self.target, error) from error

    @contextlib.contextmanager
    def send(
        self,
        method: str,
        path: str,
        *,
        read: float,
        query: dict[str, str] | None = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Iterator[Answer]:
        """Send a request and yield its successful answer, not yet read. Raise `CliError` for any other.

        `read` is the timeout of a read in seconds. Exceptions of the block pass through unchanged.
        """
        request = HttpRequest(method, path, query or {}, content, headers or {})
        with contextlib.ExitStack() as opened:
            try:
                answer = self._send(opened, request, read)
                if not answer.is_success:
                    body = read_bounded(answer, LONGEST_REFUSAL, cut=True)
                    raise refused(answer, body, self.target, token=bool(self._token))
            except TransportError as error:
                raise unanswered(error, self.target) from error
            yield answer

    def _send(self, opened: contextlib.ExitStack, request: HttpRequest, read: float) -> Answer:
        for _ in range(_MOST_REDIRECTS):
            answer = opened.enter_context(self._client.send(request, read))
            if answer.location is None:
                return answer
            try:
                prefix = self._moved(answer.url, answer.location, request.path)
            except ValueError as error:
                raise TransportError(f"invalid redirect: {error}") from error
            assert isinstance(self.target, Direct)  # noqa: S101 - the others raise
            self._client = self._connect(self.target.origin + prefix)
        raise CliError(Exit.FAILED, f"redirected more than {_MOST_REDIRECTS} times ({self.target})", kind="redirected")

    def _moved(self, here: str, location: str, path: str) -> str:
        """Return the path prefix of the gateway that a redirect names. Raise `CliError` for another origin.

        A token is for one origin (scheme, host and port). A redirect from http: to https: is refused as well: its
        sender could have read the token, so the address has to change.
        """
        parts = urlsplit(urljoin(here, location))
        there = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
        if isinstance(self.target, Direct) and _origin(there) == _origin(here) and parts.path.endswith(path):
            return parts.path.removesuffix(path)
        base = there.removesuffix(path) if parts.path.endswith(path) else None
        raise CliError(
            Exit.FAILED,
            f"redirected to {one_line(there)} ({self.target})",
            f"if that is the gateway, use `--address {shlex.quote(base)}`"
            if base
            else "if that is the gateway, set it as --address",
            *(["mill did not send the token there"] if self._token else []),
            kind="redirected",
        )

    def _connect(self, address: str) -> Client:
        """Return a client that is closed with this context."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        context = None
        if address.startswith("https:"):  # importing TLS and reading the authorities takes time
            from mill_cli.connection.tls import tls_context

            context = tls_context(self.options.ca_file)
        client: Client
        if environment_proxies():
            from mill_cli.connection.proxied import ProxiedClient

            try:
                client = ProxiedClient(address, headers, context)
            except ValueError as error:
                raise CliError(
                    Exit.USAGE, f"invalid proxy: {error}", "check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY"
                ) from error
        else:
            try:
                client = DirectClient(address, headers, context=context)
            except ValueError as error:
                raise CliError(Exit.USAGE, f"invalid gateway address: {error} ({self.target})") from error
        return self._open.enter_context(contextlib.closing(client))
