"""YAML and JSON files of other tools: what a file that is no MillDeployment looks like, and what to do with it."""

from typing import Any, Final

from mill_api import names
from mill_cli.output.text import one_line

_GUIDE: Final = "docs/convert.md"
_LONGEST: Final = 63
"""Characters of a kind that are shown."""
_SERVICES: Final = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "Pod", "ReplicationController"})
_PARTS: Final = {
    "Job": "write it as a `task`",
    "CronJob": "write it as a `task`",
    "Service": "a `service` with a `port` has one already",
    "Ingress": "write it as a `route` of a service",
    "PersistentVolumeClaim": "write it as a `volume` of a service",
    "ConfigMap": "write its values into the `env` of a service",
    "Secret": "set its values with `mill secret set NAME`",
    "Kustomization": "`kubectl apply -k` applies it",
}


def recognize(document: Any) -> tuple[str, str]:
    """Return what a document that is no MillDeployment is, and what to do."""
    if isinstance(document, dict):
        kind = document.get("kind")
        if isinstance(kind, str) and isinstance(document.get("apiVersion"), str):
            shown = one_line(kind)[:_LONGEST]
            return f"this is a Kubernetes {shown}, not a {names.KIND}", _kubernetes_advice(shown)
        if kind is None and isinstance(document.get("services"), dict):
            return (
                f"this looks like a Compose file, not a {names.KIND}",
                f"write its services as a .mill file: {_GUIDE} shows how",
            )
    return f"not a {names.KIND}", f"begin with `apiVersion: {names.API_VERSION}` and `kind: {names.KIND}`"


def _kubernetes_advice(kind: str) -> str:
    if kind in _SERVICES:
        return f"`kubectl apply -f` applies it as it is; as a `service` of a .mill file: {_GUIDE} shows how"
    if kind in _PARTS:
        return f"{_PARTS[kind]}: {_GUIDE} shows how"
    return "`kubectl apply -f` applies it"
