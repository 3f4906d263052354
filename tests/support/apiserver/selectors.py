"""Label and field selectors: `a=b`, `a==b`, `a!=b`, `a` and `!a`, joined by commas."""

from typing import Any

from mill_kube.connection import Request
from mill_objects.json import Json


def is_selected(body: Json, request: Request) -> bool:
    """Return whether a list or a watch includes an object."""
    if request.namespace is not None and body["metadata"].get("namespace", "") != request.namespace:
        return False
    found: dict[str, str] = body["metadata"].get("labels") or {}
    return all(_has_label(found, each) for each in _split(request.query.get("labelSelector"))) and all(
        _has_field(body, each) for each in _split(request.query.get("fieldSelector"))
    )


def _split(selector: str | None) -> list[str]:
    if selector and ("(" in selector or " " in selector):
        raise NotImplementedError(f"selector {selector}")
    return selector.split(",") if selector else []


def _has_label(labels: dict[str, str], term: str) -> bool:
    name, operator, value = _term(term)
    if operator:
        return (labels.get(name) == value) == (operator == "=")
    return (name.removeprefix("!") in labels) != name.startswith("!")


def _has_field(body: Json, term: str) -> bool:
    path, operator, value = _term(term)
    if not operator:
        raise NotImplementedError(f"field selector {term}")
    found: Any = body
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return ((found or "") == value) == (operator == "=")


def _term(term: str) -> tuple[str, str, str]:
    name, sign, value = term.partition("!=")
    if sign:
        return name, "!=", value
    name, sign, value = term.partition("=")
    return name, sign, value.removeprefix("=")
