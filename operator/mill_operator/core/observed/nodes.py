"""Projection of a node, which is looked up where a pod does not report."""

from dataclasses import dataclass
from datetime import datetime

from mill_objects import fields
from mill_objects.json import JsonView
from mill_operator.core.observed.foreign_text import name


@dataclass(frozen=True, slots=True)
class ObservedNode:
    """A node."""

    platform: str
    """Such as `linux/amd64`."""
    ready: str
    """Status of the condition Ready: `True`, `False` (as the node reports), or `Unknown` (the node does not report)."""
    ready_since: datetime | None
    """When that changed last."""


def project_node(body: JsonView) -> ObservedNode:
    """Return what is kept of a node."""
    info = fields.mapping(body, "status", "nodeInfo")
    system, architecture = fields.text(info, "operatingSystem"), fields.text(info, "architecture")
    ready = fields.conditions(fields.mapping(body, "status")).get("Ready", {})
    return ObservedNode(
        platform=name(f"{system}/{architecture}") if system and architecture else "",
        ready=name(fields.text(ready, "status")) or "Unknown",
        ready_since=fields.time(ready, "lastTransitionTime"),
    )
