"""Copies of JSON, as one that went over a network."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

T = TypeVar("T")


def copied(value: T) -> T:
    """Return a copy in which every map is a dict and every sequence a list."""
    return cast("T", _copied(value))


def metadata_alone(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a request for nothing but metadata is answered with."""
    return {"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": body["metadata"]}


def _copied(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return {key: _copied(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(each) for each in value]
    return value
