"""A paused MillDeployment: its changes are kept, and nothing acts on them until it is resumed.

The pause is an annotation and no field of the spec: the spec may belong to Git, which would take the pause back.
"""

from collections.abc import Mapping
from typing import Any, Final

from mill_api import names
from mill_objects.fields import texts

PAUSED: Final = "Paused"
"""The type of the condition, and the code of a service that waits for the end of the pause."""
WAITING_MESSAGE: Final = "paused"
"""What a stream says that a service waits for."""


def is_paused(metadata: Mapping[str, Any]) -> bool:
    """Whether a resource with this metadata is paused."""
    return texts(metadata, "annotations").get(names.ANNOTATION_PAUSED, "false").strip().lower() not in ("false", "")
