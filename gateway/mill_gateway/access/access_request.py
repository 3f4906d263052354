"""An action of a caller, in the terms of Kubernetes authorization."""

from dataclasses import dataclass
from typing import Any

from mill_kube.resources import Resource


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """The action that an access check is about."""

    verb: str
    resource: Resource | None = None
    namespace: str | None = None
    """None for resources without a namespace, such as nodes."""
    name: str | None = None
    subresource: str | None = None
    path: str | None = None
    """The path of a request that is about no resource, such as `/metrics`."""

    def to_spec(self) -> dict[str, Any]:
        """Return the attributes of a SubjectAccessReview."""
        if self.resource is None:
            return {"nonResourceAttributes": {"verb": self.verb, "path": self.path or ""}}
        attributes = {
            "verb": self.verb,
            "group": self.resource.group,
            "version": self.resource.version,
            "resource": self.resource.plural,
            "subresource": self.subresource,
            "namespace": self.namespace,
            "name": self.name,
        }
        return {"resourceAttributes": {key: value for key, value in attributes.items() if value}}

    def __str__(self) -> str:
        """Return the action as it follows `may not` in an error."""
        if self.resource is None:
            return f"{self.verb} {self.path}"
        resource = self.resource.full_name
        kind = f"{resource}/{self.subresource}" if self.subresource else resource
        name = f" {self.name}" if self.name else ""
        place = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.verb} {kind}{name}{place}"
