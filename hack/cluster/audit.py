"""The operator's requests to the API server, one line each; those of others are not recorded, and cost nothing."""

import json
from typing import Final

from hack import paths
from mill_kube.rights import SYSTEM_NAMESPACE
from mill_operator.rbac import ACCOUNT

LOG: Final = paths.LOGS / "audit.log"
_OPERATOR: Final = f"system:serviceaccount:{SYSTEM_NAMESPACE}:{ACCOUNT.name}"
_POLICY: Final = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [{"level": "Metadata", "users": [_OPERATOR]}, {"level": "None"}],
}


def options() -> dict[str, object]:
    """Write the policy; return the API server's options."""
    policy = paths.CLUSTER / "audit-policy.json"
    policy.write_text(json.dumps(_POLICY, indent=2) + "\n")
    # In megabytes; large enough to hold a whole bench.
    return {"audit-policy-file": policy, "audit-log-path": LOG, "audit-log-maxsize": 1000, "audit-log-maxbackup": 1}
