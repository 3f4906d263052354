"""The gateway over HTTP: requests, answers, and refusals in words."""

import contextlib
import shlex
from collections.abc import Callable, Iterator
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
"""How long an answer may take: a spawn waits a minute for its program to start."""
CONNECT_SECONDS: Final = 10.0
_MOST_REDIRECTS: Final = 5


def path(*parts: str) -> str:
    """Return the path of a route, its parts quoted."""
    return "/v1/" + "/".join(quote(each, safe="") for each in parts)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


class Gateway:
    """Talks to one gateway, as a context manager."""

    def __init__(self, options: Options, *, warn: Callable[[str], None] | None = screen.note) -> None:
        """`warn` takes what the person is told before a token goes where others can read it."""
        self.options = options
        self._warn = warn
        self._token: str | None = None
        self.target = target(options)
        self.closed = False
        """Whether it is over: what ends then in another thread was not lost."""
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
            # The API server's proxy keeps `Authorization` to itself; this header it passes on.
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
        """Return what a route answers. Raise `CliError`."""
        return self.request("GET", path, query=query)

    def request(self, method: str, path: str, *, query: dict[str, str] | None = None, **body: Any) -> Any:
        """Return the JSON of an answer, None if it has none; `body` is `json=` or `content=`. Raise `CliError`."""
        with self.send(method, path, read=ANSWER_SECONDS, params=query, **body) as response:
            try:
                content = read_bounded(response, LONGEST_ANSWER)
            except httpx.TransportError as error:
                raise unanswered(error, self.target) from error
            try:
                return loads(content) if content else None
            except (ValueError, RecursionError) as error:
                raise no_json(response, error) from error

    @contextlib.contextmanager
    def send(self, method: str, path: str, *, read: float, **request: Any) -> Iterator[httpx.Response]:
        """Send a request and yield its good answer, not yet read. Raise `CliError` if there is none.

        `read` is how many seconds may pass without a word. What is raised in the block is raised as it is.
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
            assert isinstance(self.target, Direct)  # noqa: S101 - others are not followed
            self._client = self._open.enter_context(self._connect(self.target.origin + prefix))
        raise CliError(Exit.FAILED, f"redirected more than {_MOST_REDIRECTS} times ({self.target})")

    def _moved(self, response: httpx.Response, path: str) -> str:
        """Return below which path a redirect says that the gateway is.

        Only on the same origin (scheme, host and port), since a token is for that alone. Not from http: to https:
        either, where whoever has the redirect could have had the token: it is the address that is to be changed.
        """
        assert response.next_request is not None  # noqa: S101 - the caller has looked
        here, there = response.request.url, response.next_request.url.copy_with(query=None, userinfo=b"")
        below = there.raw_path.decode()
        if isinstance(self.target, Direct) and _origin(there) == _origin(here) and below.endswith(path):
            return below.removesuffix(path)
        base = str(there).removesuffix(path) if below.endswith(path) else None
        raise CliError(
            Exit.FAILED,
            f"redirected to {there} ({self.target})",
            f"if that is the gateway, give it: `--address {shlex.quote(base)}`"
            if base
            else "if that is the gateway, give it as --address",
            *(["the token was not sent there"] if self._token else []),
        )

    def _connect(self, address: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        # Reading the authorities takes time, and without TLS nobody needs them.
        verify = tls_context(self.options.ca_file) if address.startswith("https:") else False
        try:
            # Redirects are followed here, and a password of ~/.netrc is nobody's business.
            return httpx.Client(base_url=address, headers=headers, verify=verify, follow_redirects=False)
        except (ImportError, ValueError, httpx.InvalidURL) as error:  # of the proxies that the environment names
            raise CliError(
                Exit.USAGE, f"cannot use this proxy: {error}", "see HTTP_PROXY, HTTPS_PROXY, ALL_PROXY"
            ) from error
