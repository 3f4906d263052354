"""What pods use, as a metrics server tells it."""

from collections.abc import Mapping
from typing import Any

from mill_api.key import Key
from mill_gateway.core.amounts import Amounts, total


def usage(listed: Mapping[str, Any]) -> dict[Key, Amounts]:
    """Read a list of PodMetrics."""
    return {
        Key(each["metadata"]["namespace"], each["metadata"]["name"]): total(
            Amounts.read(container.get("usage") or {}) for container in each.get("containers") or ()
        )
        for each in listed.get("items") or ()
    }
