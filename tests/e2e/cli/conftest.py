"""What these tests share with those of the gateway."""

from tests.e2e.gateway.conftest import start_gateway

__all__ = ["start_gateway"]
