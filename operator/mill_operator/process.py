"""The operator's process."""

import logging
import os
import socket
import sys
from collections.abc import Sequence
from typing import Any

import kopf

from mill_objects.key import Key
from mill_operator.handlers import Shutdown, register
from mill_operator.settings import Settings
from mill_process import logs
from mill_process.listening import bind
from mill_process.settings import SettingsError, load

log = logging.getLogger(__name__)

PROGRAM = "mill-operator"
ABOUT = (
    "Reconcile MillDeployments with Kubernetes objects, and report the verdicts on their rollouts. "
    "`mill-operator judge` judges recorded objects instead: see `mill-operator judge --help`."
)


def run(arguments: Sequence[str]) -> None:
    """Run until SIGTERM or SIGINT. The exit code is 1 after an unrecoverable failure, 2 if the settings are invalid."""
    warnings: list[str] = []
    try:
        settings = load(Settings, arguments, os.environ, program=PROGRAM, about=ABOUT, warn=warnings.append)
        listening = _listen(settings)
    except SettingsError as error:
        print(f"error: {error}".replace("\n", "\nerror: "), file=sys.stderr)
        sys.exit(2)
    handler = logs.configure(settings.log_level, settings.log_format)
    handler.addFilter(_name_object)
    for warning in warnings:  # the log is configured by the settings
        log.warning("%s", warning)
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)  # it logs every event of its watch
    shutdown = Shutdown()
    registry = kopf.OperatorRegistry()
    register(registry, settings, listening, shutdown)
    where = {"namespaces": [settings.watch_namespace]} if settings.watch_namespace else {"clusterwide": True}
    # Without one, kopf looks up the name of the process's user: those that OpenShift assigns have none.
    identity: Any = PROGRAM
    kopf.run(registry=registry, standalone=True, identity=identity, stop_flag=shutdown.flag, **where)
    if shutdown.reason is not None:
        sys.exit(1)


def _listen(settings: Settings) -> Sequence[socket.socket]:
    try:
        bound = bind(settings.health_host, settings.health_port, socket.socket)
        for each in bound:
            each.listen()  # now, so that another process is refused the port from here on
    except OSError as error:
        where = f"MILL_HEALTH_HOST={settings.health_host}, MILL_HEALTH_PORT={settings.health_port}"
        raise SettingsError(f"{where}: cannot listen: {error.strerror or error}") from error
    return bound


def _name_object(record: logging.LogRecord) -> bool:
    """Add the fields of the operator's own log records to a record of kopf about an object."""
    if isinstance(ref := getattr(record, "k8s_ref", None), dict):
        key = Key(ref.get("namespace") or "", ref.get("name") or "")
        record.about = logs.about(key)["about"]
        record.msg = f"{key}: {record.msg}"
    return True
