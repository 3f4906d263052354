"""The parts of sse-starlette that the gateway relies on without a promise of its documentation."""

import inspect

from sse_starlette import EventSourceResponse
from sse_starlette.sse import AppStatus

from mill_gateway.streams import response


def test_the_global_drain_is_an_attribute_and_turned_off() -> None:
    assert response.AppStatus is AppStatus
    assert "enable_automatic_graceful_drain" in vars(AppStatus)
    assert AppStatus.enable_automatic_graceful_drain is False


def test_the_drain_is_read_where_a_stream_runs() -> None:
    source = inspect.getsource(inspect.getmodule(EventSourceResponse))
    assert "AppStatus.enable_automatic_graceful_drain" in source


def test_a_stream_has_a_ping_of_its_own_that_sends_under_a_lock() -> None:
    assert inspect.iscoroutinefunction(EventSourceResponse._ping)
    assert list(inspect.signature(EventSourceResponse._ping).parameters) == ["self", "send"]
    made = response._Stream(iter(()), None, {})  # type: ignore[arg-type]
    assert made.active
    assert hasattr(made, "_send_lock")
