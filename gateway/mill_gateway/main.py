"""The gateway's process: `mill-gateway`, or `python -m mill_gateway`."""

import sys

import uvicorn

from mill_gateway.app import create_app
from mill_gateway.settings import Settings


def run() -> None:
    """Serve until SIGTERM or SIGINT."""
    try:
        settings = Settings.from_environment()
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        timeout_graceful_shutdown=5,
        server_header=False,
        log_level="info",
    )
