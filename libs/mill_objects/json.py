"""JSON objects as plain data."""

from collections.abc import Mapping
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
"""A JSON object that is built, such as the body of a request."""
JsonView: TypeAlias = Mapping[str, Any]
"""A JSON object that is only read, such as a part of a foreign object."""
