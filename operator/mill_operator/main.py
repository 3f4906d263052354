"""The operator's process: `mill-operator`, or `python -m mill_operator`."""

import logging
import sys

import kopf

from mill_operator.handlers import register
from mill_operator.settings import Settings


def run() -> None:
    """Run until SIGTERM or SIGINT."""
    try:
        settings = Settings.from_environment()
    except ValueError as error:
        sys.exit(f"error: {error}")
    kopf.configure(verbose=settings.log_level == "DEBUG")
    logging.getLogger().setLevel(settings.log_level)
    registry = kopf.OperatorRegistry()
    register(registry, settings)
    where = {"namespaces": [settings.namespace]} if settings.namespace else {"clusterwide": True}
    kopf.run(registry=registry, standalone=True, **where)
