"""The undocumented names of uvicorn and sse-starlette that the gateway uses (decision 13) still exist."""

import inspect
from importlib.metadata import version

import pytest
from sse_starlette.sse import AppStatus
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

import mill_gateway.streams.response  # noqa: F401 - sets the flag

DECISION = "read docs/decisions/0013-the-gateway-extends-uvicorns-protocol.md before you change this version"


@pytest.mark.parametrize(("package", "minor"), [("uvicorn", "0.54."), ("sse-starlette", "3.7.")])
def test_the_version_is_one_whose_internals_were_read(package: str, minor: str) -> None:
    assert version(package).startswith(minor), DECISION


async def test_the_protocol_has_the_attributes() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("no request")

    protocol = H11Protocol(Config(app, log_config=None), ServerState(), {})
    used = {"app", "conn", "cycle", "flow", "scope", "timeout_keep_alive_task", "transport"}
    assert used <= set(vars(protocol)) | set(inspect.get_annotations(H11Protocol))


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("connection_made", ["self", "transport"]),
        ("resume_writing", ["self"]),
        ("send_400_response", ["self", "msg"]),
        ("shutdown", ["self"]),
    ],
)
def test_the_protocol_has_the_methods(method: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(H11Protocol, method)).parameters) == parameters


def test_sse_starlette_leaves_streams_to_the_server_at_shutdown() -> None:
    assert AppStatus.enable_automatic_graceful_drain is False
