"""What somebody else may have made before a MillDeployment: quotas, policies, volumes, a node that nobody runs."""

from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]

GHOST: Final = "node-ghost"


def quota(name: str, hard: dict[str, str]) -> Json:
    """Return a quota of the namespace."""
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": {"hard": hard}}


def limit_range(memory: str) -> Json:
    """Return the most that a container may ask for."""
    limits = [{"type": "Container", "max": {"memory": memory}}]
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small"}, "spec": {"limits": limits}}


def claim(service: str, spec: Json) -> Json:
    """Return the claim of a service's volume as somebody else may have made it beforehand."""
    labels = {
        "app.kubernetes.io/managed-by": "mill",
        "mill.dev/deployment": "mill",
        "mill.dev/service": service,
    }
    amount = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": f"{service}-data", "labels": labels},
        "spec": {**amount, **spec},
    }


def bound_volume(name: str, service: str, namespace: str, *, path: str, node: str | None = None) -> list[Json]:
    """Return a volume made beforehand, and the claim that is bound to it; no other claim can have it."""
    spec: Json = {
        "claimRef": {"namespace": namespace, "name": f"{service}-data"},
        "capacity": {"storage": "1Mi"},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": path, "type": "Directory"},
    }
    if node is not None:
        there = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [there]}]}}
    volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}
    return [volume, claim(service, {"storageClassName": "", "volumeName": name})]


def policy(name: str, namespace: str) -> list[Json]:
    """Return a policy that refuses every pod of one namespace: admission without a webhook."""
    version = "admissionregistration.k8s.io/v1"
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    here = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    return [
        {
            "apiVersion": version,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "matchConstraints": {"resourceRules": [pods]},
                "validations": [{"expression": "false", "message": "no pods on Fridays"}],
            },
        },
        {
            "apiVersion": version,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {
                "policyName": name,
                "validationActions": ["Deny"],
                "matchResources": {"namespaceSelector": here},
            },
        },
    ]


def ghost() -> Json:
    """Return a node that nobody runs, with room for one pod."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": GHOST, "labels": {"kubernetes.io/hostname": GHOST}},
    }


def ghost_status(ready: str) -> Json:
    """Return what it would tell of itself."""
    room = {"cpu": "1", "memory": "1Gi", "pods": "1"}
    condition = {"type": "Ready", "status": ready, "reason": "Test", "message": "", "lastHeartbeatTime": None}
    return {"status": {"capacity": room, "allocatable": room, "conditions": [condition]}}


def mill(services: list[Json]) -> Json:
    """Return a MillDeployment."""
    return {
        "apiVersion": "mill.dev/v1alpha1",
        "kind": "MillDeployment",
        "metadata": {"name": "mill"},
        "spec": {"services": services},
    }
