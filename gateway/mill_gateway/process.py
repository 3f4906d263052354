"""The gateway's process, from its settings to its end."""

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import uvicorn
from fastapi import FastAPI

from mill_gateway.access.tokens import Tokens
from mill_gateway.app import create_app
from mill_gateway.server.connections import Connections
from mill_gateway.server.listener import Listener, connections_of, listen
from mill_gateway.server.protocol import configuration
from mill_gateway.server.tls import Certificate
from mill_gateway.settings import Settings
from mill_process import logs
from mill_process.listening import authority
from mill_process.settings import SettingsError, load

log = logging.getLogger(__name__)

PROGRAM = "mill-gateway"
ABOUT = "HTTP API of Mill on Kubernetes."


def run() -> None:
    """Serve until SIGTERM or SIGINT. The exit code is 1 after a fatal error, 2 if the settings are invalid."""
    given_up: list[str] = []
    warnings: list[str] = []

    def give_up(reason: str) -> None:
        """Exit with a code that makes Kubernetes restart the pod."""
        if not given_up:
            log.error("exiting: %s", reason)
        given_up.append(reason)
        server.should_exit = True

    try:
        settings = load(Settings, sys.argv[1:], os.environ, program=PROGRAM, about=ABOUT, warn=warnings.append)
        certificate = _check(settings)
        app = create_app(settings, background=(certificate.follow,) if certificate else (), give_up=give_up)
        connections = connections_of(settings, partial(_limit_reached, app))
        listeners = _listen(settings, connections)
    except SettingsError as error:
        print(f"error: {error}".replace("\n", "\nerror: "), file=sys.stderr)
        sys.exit(2)
    logs.configure(settings.log_level, settings.log_format)
    for warning in warnings:  # the settings configure the log
        log.warning("%s", warning)
    scheme = "https" if certificate else "http"
    log.info(
        "listening on %s://%s for at most %d connections",
        scheme,
        authority(settings.listen_host, settings.listen_port),
        connections.most,
    )
    server = uvicorn.Server(configuration(app, settings, certificate.context if certificate else None, connections))
    server.run(sockets=list(listeners))
    if given_up or not server.started:
        sys.exit(1)


def _limit_reached(app: FastAPI, limit: str) -> None:
    app.state.gateway.metrics.limit_reached(limit)


def _listen(settings: Settings, connections: Connections) -> Sequence[Listener]:
    try:
        return listen(settings.listen_host, settings.listen_port, connections)
    except OSError as error:
        where = f"MILL_LISTEN_HOST={settings.listen_host}, MILL_LISTEN_PORT={settings.listen_port}"
        raise SettingsError(f"{where}: cannot listen: {error.strerror or error}") from error


def _check(settings: Settings) -> Certificate | None:
    """Return the TLS certificate, if the settings name one. Raise `SettingsError` with all problems, also of files."""
    problems: list[str] = []
    certificate = None

    @contextmanager
    def collect_problems() -> Iterator[None]:
        try:
            yield
        except SettingsError as error:
            problems.append(str(error))

    with collect_problems():
        settings.check()
    with collect_problems():
        Tokens(settings)
    with collect_problems():
        if settings.tls_cert and settings.tls_key:
            certificate = Certificate(settings.tls_cert, settings.tls_key)
    if problems:
        raise SettingsError("\n".join(problems))
    return certificate
