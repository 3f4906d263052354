"""JSON objects as plain data."""

from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
"""A JSON object, as a request or a patch is built of it. Objects to be read only are `fields.Json`."""
