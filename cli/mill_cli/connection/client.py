"""HTTP client of the gateway: requests, answers and errors."""

import contextlib
import shlex
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import httpx

from mill_cli.connection.bodies import LONGEST_ANSWER, LONGEST_REFUSAL, loads, read_bounded
from mill_cli.connection.exposure import exposure
from mill_cli.connection.failures import no_json, refused, unanswered
from mill_cli.connection.proxy import kubectl_proxy
from mill_cli.connection.target import Direct, target
from mill_cli.connection.tls import tls_context
from mill_cli.connection.token import read_token
from mill_cli.errors import CliError, Exit
from mill_cli.options import Options
from mill_cli.output import screen

ANSWER_SECONDS: Final = 120.0
"""Timeout of an answer: a spawn waits a minute for its program to start."""
CONNECT_SECONDS: Final = 10.0
_MOST_REDIRECTS: Final = 5


def path(*parts: str) -> str:
    """Return the path of a route, its parts quoted."""
    return "/v1/" + "/".join(quote(each, safe="") for each in parts)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


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
        self._client: httpx.Client

    def __enter__(self) -> Self:
        self._token = read_token(self.options, self._warn)
        if isinstance(self.target, Direct):
            self._client = self._open.enter_context(self._connect(self.target.address))
            if self._warn is not None and (exposed := exposure(self.target, self._token)) is not None:
                self._warn(exposed)
        else:
            socket = self._open.enter_context(kubectl_proxy(self.target))
            transport = httpx.HTTPTransport(uds=str(socket))
            # The API server does not forward `Authorization`; it forwards this header.
            headers = {"Mill-Token": self._token} if self._token else {}
            self._client = self._open.enter_context(
                httpx.Client(base_url=f"http://localhost{self.target.path}", headers=headers, transport=transport)
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

    def request(self, method: str, path: str, *, query: dict[str, str] | None = None, **body: Any) -> Any:
        """Return the JSON of an answer, None if it is empty; `body` is `json=` or `content=`. Raise `CliError`."""
        with self.send(method, path, read=ANSWER_SECONDS, params=query, **body) as response:
            return self._json(response)

    def get_with_time(self, path: str, **query: str) -> tuple[Any, float | None]:
        """Return the JSON of a route, and the gateway's time in seconds since 1970 if it says so. Raise `CliError`.

        The clock of this machine may differ from that.
        """
        with self.send("GET", path, read=ANSWER_SECONDS, params=query) as response:
            return self._json(response), _timestamp(response.headers.get("Date", ""))

    def _json(self, response: httpx.Response) -> Any:
        try:
            content = read_bounded(response, LONGEST_ANSWER)
        except httpx.TransportError as error:
            raise unanswered(error, self.target) from error
        try:
            return loads(content) if content else None
        except (ValueError, RecursionError) as error:
            raise no_json(response, content, self.target, error) from error

    @contextlib.contextmanager
    def send(self, method: str, path: str, *, read: float, **request: Any) -> Iterator[httpx.Response]:
        """Send a request and yield its successful answer, not yet read. Raise `CliError` for any other.

        `read` is the timeout of a read in seconds. Exceptions of the block pass through unchanged.
        """
        with contextlib.ExitStack() as opened:
            try:
                response = self._send(opened, method, path, read, request)
                if not response.is_success:
                    content = read_bounded(response, LONGEST_REFUSAL, cut=True)
                    raise refused(response, content, self.target, token=bool(self._token))
            except httpx.TransportError as error:
                raise unanswered(error, self.target) from error
            yield response

    def _send(
        self, opened: contextlib.ExitStack, method: str, path: str, read: float, request: dict[str, Any]
    ) -> httpx.Response:
        for _ in range(_MOST_REDIRECTS):
            timeout = httpx.Timeout(CONNECT_SECONDS, read=read)
            response = opened.enter_context(self._client.stream(method, path, timeout=timeout, **request))
            if response.next_request is None:
                return response
            prefix = self._moved(response, path)
            assert isinstance(self.target, Direct)  # noqa: S101 - the others raise
            self._client = self._open.enter_context(self._connect(self.target.origin + prefix))
        raise CliError(Exit.FAILED, f"redirected more than {_MOST_REDIRECTS} times ({self.target})", kind="redirected")

    def _moved(self, response: httpx.Response, path: str) -> str:
        """Return the path prefix of the gateway that a redirect names. Raise `CliError` for another origin.

        A token is for one origin (scheme, host and port). A redirect from http: to https: is refused as well: its
        sender could have read the token, so the address has to change.
        """
        assert response.next_request is not None  # noqa: S101 - the caller has checked
        here, there = response.request.url, response.next_request.url.copy_with(query=None, userinfo=b"")
        below = there.raw_path.decode()
        if isinstance(self.target, Direct) and _origin(there) == _origin(here) and below.endswith(path):
            return below.removesuffix(path)
        base = str(there).removesuffix(path) if below.endswith(path) else None
        raise CliError(
            Exit.FAILED,
            f"redirected to {there} ({self.target})",
            f"if that is the gateway, use `--address {shlex.quote(base)}`"
            if base
            else "if that is the gateway, set it as --address",
            *(["mill did not send the token there"] if self._token else []),
            kind="redirected",
        )

    def _connect(self, address: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        # Reading the authorities takes time, and only TLS needs them.
        verify = tls_context(self.options.ca_file) if address.startswith("https:") else False
        try:
            # This class follows redirects; credentials of ~/.netrc are not used.
            return httpx.Client(base_url=address, headers=headers, verify=verify, follow_redirects=False)
        except (ImportError, ValueError, httpx.InvalidURL) as error:  # from the proxies that the environment sets
            raise CliError(
                Exit.USAGE, f"invalid proxy: {error}", "check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY"
            ) from error
