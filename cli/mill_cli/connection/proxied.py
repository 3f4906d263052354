"""Requests where the environment sets a proxy, by httpx: it knows all kinds of proxies, and takes longer to import."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx

from mill_cli.connection.transport import (
    CONNECT_SECONDS,
    Answer,
    AnswerTimeout,
    ConnectError,
    ConnectTimeout,
    HttpRequest,
    NotHttp,
    ProxyError,
    TransportError,
)

if TYPE_CHECKING:
    import ssl


class ProxiedClient:
    """Client of one address, through the proxy that `HTTP_PROXY` and the like set unless `NO_PROXY` has its host."""

    def __init__(self, address: str, headers: dict[str, str], context: "ssl.SSLContext | None") -> None:
        """Raise `ValueError` for an invalid proxy."""
        try:
            # This class follows no redirects; credentials of ~/.netrc are not used.
            self._client = httpx.Client(base_url=address, headers=headers, verify=context or False)
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            raise ValueError(str(error)) from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @contextlib.contextmanager
    def send(self, request: HttpRequest, read_seconds: float) -> Iterator[Answer]:
        """Send a request and yield its answer. Raise `TransportError`, and `RuntimeError` if the client is closed."""
        sending = self._client.stream(
            request.method,
            request.target,
            content=request.content,
            headers=request.headers,
            timeout=httpx.Timeout(CONNECT_SECONDS, read=read_seconds),
        )
        with contextlib.ExitStack() as opened:
            with _reported():
                response = opened.enter_context(sending)
            headers = {name.lower(): value for name, value in response.headers.items()}
            url = str(response.url.copy_with(userinfo=b""))
            yield Answer(response.status_code, headers, url, lambda: _parts(response))


@contextlib.contextmanager
def _reported() -> Iterator[None]:
    """Raise `TransportError` for what httpx raises."""
    try:
        yield
    except httpx.ProxyError as error:
        raise ProxyError(str(error)) from error
    except httpx.ConnectTimeout as error:
        raise ConnectTimeout(str(error)) from error
    except httpx.ConnectError as error:
        raise ConnectError(str(error)) from error
    except httpx.TimeoutException as error:
        raise AnswerTimeout(str(error)) from error
    except httpx.RemoteProtocolError as error:
        raise (NotHttp if "illegal status line" in str(error) else TransportError)(str(error)) from error
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise TransportError(str(error) or type(error).__name__) from error


def _parts(response: httpx.Response) -> Iterator[bytes]:
    with _reported():
        yield from response.iter_bytes()
