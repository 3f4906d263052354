"""What the CRD takes of the API server's limits: `python -m hack.checks.crd` fails if it is too large.

The size is that of its JSON, of which a client-side `kubectl apply` keeps a copy in an annotation. What its CEL rules
cost is the API server's own estimate: it reports by which factor a CRD exceeds its budget, so the local cluster is
asked, in a dry run, for one that has the schema of the spec several times.
"""

import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Final

import yaml

from hack.paths import KUBECONFIG
from mill_api import crd

MAX_BYTES: Final = 200 * 1024
"""An annotation holds 256 KiB, and the rest of it belongs to others."""
_COPIES: Final = (8, 64)
"""How often the schema is repeated: until it is refused."""
_FACTOR: Final = re.compile(r"exceeds budget by factor of (?:more than )?([0-9.]+)x")
_SECONDS: Final = 20


def size(document: Any) -> int:
    """Return the bytes of a CRD as JSON."""
    return len(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())


def rules(schema: Any) -> Iterator[Any]:
    """Yield the CEL rules of a schema."""
    if isinstance(schema, dict):
        found = schema.get("x-kubernetes-validations")
        yield from found if isinstance(found, list) else []
    inner = list(schema.values()) if isinstance(schema, dict) else schema
    for each in inner if isinstance(inner, list) else ():
        yield from rules(each)


def repeated(document: Any, copies: int) -> Any:
    """Return a CRD of another name that has the spec's schema several times."""
    other = copy.deepcopy(document)
    other["metadata"] = {"name": "copies.cost.mill.dev"}
    names = {"plural": "copies", "singular": "copy", "kind": "Copy", "listKind": "CopyList"}
    other["spec"] |= {"group": "cost.mill.dev", "names": names}
    (version,) = other["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    properties = {f"spec{number}": spec for number in range(copies)}
    other["spec"]["versions"] = [
        {
            **{key: version[key] for key in ("name", "served", "storage")},
            "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
        }
    ]
    return other


def cost(document: Any) -> float | None:
    """Return which part of the budget the CEL rules cost, from 0 to 1; None without a cluster that says so."""
    for copies in _COPIES:
        command = ["kubectl", "--kubeconfig", str(KUBECONFIG), "create", "--dry-run=server", "-f", "-"]
        try:
            given = json.dumps(repeated(document, copies))
            done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        found = _FACTOR.search(done.stderr)
        if found is not None:
            return float(found[1]) / copies
        if done.returncode:
            return None
    return None


def main() -> int:
    """Print the figures; return the exit code."""
    document = yaml.safe_load(crd.to_yaml())
    found = size(document)
    count = len(list(rules(document)))
    part = cost(document)
    budget = "start the local cluster to see their cost"
    if part is not None:
        budget = f"{part:.1%} of the API server's budget, {1 - part:.1%} left"
    print(f"CRD: {found:,} of {MAX_BYTES:,} bytes as JSON; {count} CEL rules: {budget}")
    return 1 if found > MAX_BYTES else 0


if __name__ == "__main__":
    sys.exit(main())
