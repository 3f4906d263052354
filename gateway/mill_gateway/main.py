"""The gateway's process: `mill-gateway`, or `python -m mill_gateway`."""

import os
import sys

import uvicorn

from mill_api import logs
from mill_api.settings import SettingsError, load
from mill_gateway.access.tokens import Tokens
from mill_gateway.app import create_app
from mill_gateway.server import configuration
from mill_gateway.settings import Settings
from mill_gateway.tls import Certificate

PROGRAM = "mill-gateway"
ABOUT = "Mill's HTTP API in front of Kubernetes."


def run() -> None:
    """Serve until SIGTERM or SIGINT. The exit code is 2 if it cannot start as it is set up."""
    try:
        settings = load(Settings, sys.argv[1:], os.environ, program=PROGRAM, about=ABOUT)
        settings.check()
        Tokens(settings)  # read here as well, so that a wrong file is told like every other setting
        certificate = (
            Certificate(settings.tls_cert, settings.tls_key) if settings.tls_cert and settings.tls_key else None
        )
        app = create_app(settings, background=(certificate.follow,) if certificate else ())
    except SettingsError as error:
        print(f"error: {error}".replace("\n", "\nerror: "), file=sys.stderr)
        sys.exit(2)
    logs.configure(settings.log_level, settings.log_format)
    uvicorn.Server(configuration(app, settings, certificate.context if certificate else None)).run()
