"""Names that do not exist, in words: what is missing, and what there is. The one rule of all commands.

The gateway's answer has `kind`, `name` and `namespace`, and in `existing` the names that the caller may know.
"""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mill_cli.output.text import one_line

SHOWN: Final = 10
"""Names in a hint."""
_LISTED_BY: Final = {
    "deployment": "status",
    "service": "status",
    "revision": "history",
    "run": "ps",
    "secret": "secret list",
    "volume": "volume list",
    "node": "nodes",
}
_KINDS: Final = (*_LISTED_BY, "namespace", "task")
_CHOOSE: Final = {"namespace": "choose a namespace with --namespace", "deployment": "choose a deployment with --name"}


def explain_missing(body: Mapping[str, Any], context: str | None) -> tuple[str, list[str]] | None:
    """Return the message and the hints for an answer about a missing name; None for any other.

    `context` is the kubeconfig context of the command.
    """
    kind, name, namespace = body.get("kind"), body.get("name"), body.get("namespace")
    if kind not in _KINDS or not isinstance(name, str):
        return None
    existing = [each for each in _list(body.get("existing")) if isinstance(each, str)]
    if kind == "namespace":
        kubectl = f"kubectl --context {shlex.quote(context)}" if context else "kubectl"
        advice = [f"create it: `{kubectl} create namespace {shlex.quote(one_line(name))}`"]
        return f'namespace "{one_line(name)}" does not exist', [*near_names(kind, name, existing), *advice]
    if kind == "node":
        return f'no node "{one_line(name)}"', near_names(kind, name, existing)
    if not isinstance(namespace, str):
        return None
    message = f'no {kind} "{one_line(name)}" in namespace {one_line(namespace)}'
    if existing:
        return message, near_names(kind, name, existing)
    return message, [f"the namespace has no {kind}s"] if "existing" in body else []


def near_names(kind: str, name: str, existing: Sequence[str]) -> list[str]:
    """Return what there is, and the name that was probably meant."""
    if not existing:
        return []
    from mill_language.diagnostics import did_you_mean

    meant = did_you_mean(name, existing)
    shown = ", ".join(one_line(each) for each in existing[:SHOWN])
    others = len(existing) - SHOWN
    more = f" and {others} more" + (f": `mill {_LISTED_BY[kind]}`" if kind in _LISTED_BY else "") if others > 0 else ""
    what = _CHOOSE.get(kind, f"there {'is' if len(existing) == 1 else 'are'}")
    there = f"{what}: {shown}{more}" if kind in _CHOOSE else f"{what} {shown}{more}"
    return [*([one_line(meant)] if meant else []), there]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
