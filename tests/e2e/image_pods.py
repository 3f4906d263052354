"""Pods of Mill's image, one for each role: as strict as Kubernetes can make them, with the rights of our roles."""

import json
from typing import Any, Final

ROLES: Final = ("operator", "gateway")
PORTS: Final = {"operator": 4401, "gateway": 4400}
TOKEN: Final = "of-this-test"
RESTRICTED: Final = {"pod-security.kubernetes.io/enforce": "restricted"}
"""The label by which a namespace admits pods of the restricted profile only."""

_ANYWHERE: Final = "*"
"""All addresses of the pod, so that the kubelet reaches it."""
_NAMESPACE: Final = {"operator": "MILL_WATCH_NAMESPACE", "gateway": "MILL_DEFAULT_NAMESPACE"}
_SETTINGS: Final = {
    "operator": {"MILL_HEALTH_HOST": _ANYWHERE},
    "gateway": {
        "MILL_LISTEN_HOST": _ANYWHERE,
        "MILL_SINGLE_NAMESPACE": "true",
        "MILL_NODES": "false",
        "MILL_ADMIN_TOKEN": TOKEN,
    },
}


def namespace(name: str) -> str:
    """Return a namespace for such pods, as kubectl takes it."""
    return json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}})


def objects(role: str, space: str, image: str, *arguments: str) -> str:
    """Return an account, its rights in a namespace and a pod of a role, as kubectl takes them."""
    name = f"mill-{role}"
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": space}],
    }
    return json.dumps(
        {"apiVersion": "v1", "kind": "List", "items": [account, binding, pod(role, space, image, *arguments)]}
    )


def pod(role: str, space: str, image: str, *arguments: str) -> dict[str, Any]:
    """Return a pod that looks after its own namespace only."""
    name = f"mill-{role}"
    environment = {_NAMESPACE[role]: space, **_SETTINGS[role]}
    container = {
        "name": role,
        "image": image,
        "command": [name, *arguments],
        "env": [{"name": each, "value": value} for each, value in environment.items()],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": PORTS[role]}, "periodSeconds": 1},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "serviceAccountName": name,
            "restartPolicy": "Never",
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
        },
    }
