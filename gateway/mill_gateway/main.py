"""The gateway's process: `mill-gateway`, or `python -m mill_gateway`."""

import os
import sys

import uvicorn

from mill_api import logs
from mill_api.settings import SettingsError, load
from mill_gateway.app import create_app
from mill_gateway.settings import Settings

PROGRAM = "mill-gateway"
ABOUT = "Mill's HTTP API in front of Kubernetes."


def run() -> None:
    """Serve until SIGTERM or SIGINT. The exit code is 2 if it cannot start as it is set up."""
    try:
        settings = load(Settings, sys.argv[1:], os.environ, program=PROGRAM, about=ABOUT)
        settings.check()
        app = create_app(settings)
    except SettingsError as error:
        print(f"error: {error}".replace("\n", "\nerror: "), file=sys.stderr)
        sys.exit(2)
    logs.configure(settings.log_level, settings.log_format)
    uvicorn.run(
        app,
        host=settings.listen_host,
        port=settings.listen_port,
        timeout_graceful_shutdown=5,
        server_header=False,
        log_config=None,
    )
