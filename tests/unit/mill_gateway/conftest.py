"""The fixture of the gateway's tests."""

import pytest

from tests.support.gateway import served
from tests.support.gateway.served import Serve


@pytest.fixture
def serve() -> Serve:
    """Return `serve`: `async with serve(object, …) as served`."""
    return served.serve
