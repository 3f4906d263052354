"""The exit code of `mill status --exit-code`. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from mill_cli.errors import Exit
from mill_cli.services import project_services

_FAILED: Final = ("Failed", "Refused")
_GOOD: Final = ("Healthy", "Stopped")


def status_exit(found: Mapping[str, Any]) -> Exit:
    """Return 1 if something has failed or was refused, 3 if something is suspect or in progress, else 0.

    `found` is what `mill_cli.status.read_status` returns. Runs of tasks do not count: they end, and stay listed for a
    day. A state that this release does not know, of a newer gateway, is in progress.
    """
    deployments = found["cluster"].get("deployments") or ()
    services = {each.state for each in project_services(found["services"])} - {""}
    states = services | ({each.get("state") for each in deployments} - {None})
    if states & set(_FAILED):
        return Exit.FAILED
    return Exit.IN_PROGRESS if states - set(_GOOD) else Exit.SUCCESS
