"""Requests in the terms of Kubernetes' access rules, as roles grant, metrics count and audit logs show them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from mill_kube.resources import Resource

METHODS: Final = {
    "get": "GET",
    "list": "GET",
    "watch": "GET",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
}
"""The verbs that we use, and how they are sent."""
READS: Final = frozenset({"get", "list", "watch"})


@dataclass(frozen=True, slots=True)
class Call:
    """A request."""

    verb: str
    resource: Resource
    subresource: str | None = None

    @property
    def target(self) -> str:
        """The kind and subresource, as kubectl shows rights: `milldeployments.mill.dev/status`."""
        return f"{self.resource.full_name}/{self.subresource}" if self.subresource else self.resource.full_name


Observer: TypeAlias = Callable[[Call, int | None, float], None]
"""Called for every request with the HTTP status (None if there was no answer) and the seconds that it took."""
