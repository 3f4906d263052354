"""The gateway over HTTP: requests, answers, and refusals in words."""

import contextlib
import json
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import httpx

from mill_cli.connection.failures import no_json, refused, unanswered
from mill_cli.connection.proxy import kubectl_proxy
from mill_cli.connection.target import Direct, target
from mill_cli.connection.trust import trust
from mill_cli.errors import CliError, Exit
from mill_cli.options import Options

ANSWER_SECONDS: Final = 120.0
"""How long an answer may take: a spawn waits a minute for its program to start."""
CONNECT_SECONDS: Final = 10.0
_MOST_REDIRECTS: Final = 5


def path(*parts: str) -> str:
    """Return the path of a route, its parts quoted."""
    return "/v1/" + "/".join(quote(each, safe="") for each in parts)


def _no_number(text: str) -> float:
    """Refuse NaN and Infinity, which Python reads, and which are no JSON."""
    raise ValueError(f"{text} is no number")


class Gateway:
    """Talks to one gateway, as a context manager."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.target = target(options)
        self.closed = False
        """Whether it is over: what ends then in another thread was not lost."""
        self._open = contextlib.ExitStack()
        self._client: httpx.Client

    def __enter__(self) -> Self:
        if isinstance(self.target, Direct):
            self._client = self._open.enter_context(self._connect(self.target.address))
        else:
            socket = self._open.enter_context(kubectl_proxy(self.target))
            transport = httpx.HTTPTransport(uds=str(socket))
            # The API server's proxy keeps `Authorization` to itself; this header it passes on.
            headers = {"Mill-Token": self.options.token} if self.options.token else {}
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
                content = response.read()
            except httpx.TransportError as error:
                raise unanswered(error, self.target) from error
            try:
                return json.loads(content, parse_constant=_no_number) if content else None
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
                    response.read()
                    raise refused(response, token=bool(self.options.token))
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
            base = self._moved(response, path)
            self._client = self._open.enter_context(self._connect(base))
        raise CliError(Exit.FAILED, f"redirected more than {_MOST_REDIRECTS} times ({self.target})")

    def _moved(self, response: httpx.Response, path: str) -> str:
        """Return where a redirect says that the gateway is, if it is the same machine: a token is for that alone."""
        assert response.next_request is not None  # noqa: S101 - the caller has looked
        here, there = response.request.url, response.next_request.url
        same = (
            there.host == here.host
            and there.copy_with(query=None).raw_path.decode().endswith(path)
            and (there.scheme, here.scheme) != ("http", "https")
        )
        if isinstance(self.target, Direct) and same:
            return str(there.copy_with(query=None)).removesuffix(path)
        raise CliError(
            Exit.FAILED,
            f"redirected to {there.copy_with(query=None)} ({self.target})",
            "if that is the gateway, give it as --address",
        )

    def _connect(self, address: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.options.token}"} if self.options.token else {}
        # Reading the authorities takes time, and without TLS nobody needs them.
        verify = trust(self.options.ca_file) if address.startswith("https:") else False
        try:
            return httpx.Client(base_url=address, headers=headers, verify=verify)
        except (ImportError, ValueError, httpx.InvalidURL) as error:  # of the proxies that the environment names
            raise CliError(
                Exit.USAGE, f"cannot use this proxy: {error}", "see HTTP_PROXY, HTTPS_PROXY, ALL_PROXY"
            ) from error
