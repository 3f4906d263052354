"""Which versions of Kubernetes the operator works on."""

import re
from collections.abc import Mapping
from typing import Any, Final

LEAST: Final = (1, 31)
"""Major and minor version of the oldest that mill is tested on."""


def refusal(version: Mapping[str, Any]) -> str | None:
    """Say why a cluster is too old, from the answer of its `/version`; None if it is not, or does not tell.

    `minor` may end in a provider's mark, such as `31+`.
    """
    numbers = [re.match(r"[0-9]{1,9}", str(version.get(part, ""))) for part in ("major", "minor")]
    found = tuple(int(each[0]) for each in numbers if each is not None)
    if len(found) != len(LEAST) or found >= LEAST:
        return None
    return f"this is Kubernetes {found[0]}.{found[1]}; mill needs {LEAST[0]}.{LEAST[1]} or later"
