"""The gateway's process: `mill-gateway`, or `python -m mill_gateway`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

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
        certificate = _check(settings)
        app = create_app(settings, background=(certificate.follow,) if certificate else ())
    except SettingsError as error:
        print(f"error: {error}".replace("\n", "\nerror: "), file=sys.stderr)
        sys.exit(2)
    logs.configure(settings.log_level, settings.log_format)
    uvicorn.Server(configuration(app, settings, certificate.context if certificate else None)).run()


def _check(settings: Settings) -> Certificate | None:
    """Return the certificate, if there is to be one. Raise `SettingsError` with all that is wrong, in files as well."""
    problems: list[str] = []
    certificate = None

    @contextmanager
    def noted() -> Iterator[None]:
        try:
            yield
        except SettingsError as error:
            problems.append(str(error))

    with noted():
        settings.check()
    with noted():
        Tokens(settings)
    with noted():
        if settings.tls_cert and settings.tls_key:
            certificate = Certificate(settings.tls_cert, settings.tls_key)
    if problems:
        raise SettingsError("\n".join(problems))
    return certificate
