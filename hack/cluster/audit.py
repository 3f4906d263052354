"""Who asks the API server for what, one line per request: only of one user, so that nobody else pays for it.

`kubeconfig` gives that user, an administrator, to a program whose requests are to be counted.
"""

import json
from pathlib import Path
from typing import Final

from hack import paths
from hack.cluster import pki

LOG: Final = paths.LOGS / "audit.log"
_USER: Final = "audited"
_POLICY: Final = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [{"level": "Metadata", "users": [_USER]}, {"level": "None"}],
}


def options() -> dict[str, object]:
    """Write the policy; return the API server's options."""
    policy = paths.CLUSTER / "audit-policy.json"
    policy.write_text(json.dumps(_POLICY, indent=2) + "\n")
    # In megabytes; large enough to hold a whole bench.
    return {"audit-policy-file": policy, "audit-log-path": LOG, "audit-log-maxsize": 1000, "audit-log-maxbackup": 1}


def kubeconfig(server: str) -> Path:
    """Return the kubeconfig of the user whose requests are written down."""
    file = paths.CLUSTER / f"{_USER}.kubeconfig"
    if not file.exists():
        pki.issue_client(_USER, _USER, "system:masters")
        pki.write_kubeconfig(file, server, _USER)
    return file
