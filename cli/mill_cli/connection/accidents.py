"""Refusals of what is probably an accident: what was about to happen, and the option by which it is meant.

The gateway's answer has what was about to happen as `summary`; its `error` also names parameters of HTTP.
"""

from collections.abc import Mapping
from typing import Any, Final

_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "empty_mill_file": ("check the file; if that is meant, use --allow-empty",),
    "removes_all_services": (
        "deploy the file of another application beside it, by a name of its own: --name NAME",
        "use --replace-all if it replaces everything that is deployed there, as when the only service has a new name",
    ),
    "system_namespace": ("choose another namespace with --namespace; if this one is meant, use --system",),
}


def explain_accident(body: Mapping[str, Any]) -> tuple[str, list[str]] | None:
    """Return the message and the hints for a refusal of a probable accident; None for any other answer."""
    summary, code = body.get("summary"), body.get("code")
    if not isinstance(summary, str) or not isinstance(code, str) or code not in _OPTIONS:
        return None
    return summary, list(_OPTIONS[code])
