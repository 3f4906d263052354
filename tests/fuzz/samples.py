"""A good object of each kind, with every field that anything of ours reads."""

import json
from typing import Any, Final

from mill_objects.json import Json

AT: Final = "2026-01-31T12:00:00Z"
LABELS: Final = {
    "app.kubernetes.io/managed-by": "mill",
    "app.kubernetes.io/name": "web",
    "mill.dev/deployment": "mill",
    "mill.dev/service": "web",
    "mill.dev/template": "aaaaaaaaaa",
}


def metadata(name: str, **more: Any) -> Json:
    """Return what the API server adds to every object."""
    return {
        "name": name,
        "namespace": "shop",
        "uid": "5f0c1d1e-0000-4000-8000-000000000001",
        "resourceVersion": "1000",
        "generation": 3,
        "creationTimestamp": AT,
        "labels": dict(LABELS),
        "annotations": {"mill.dev/applied": "abc", "restart.mill.dev/web": "1", "mill.dev/request": "1"},
        "managedFields": [{"manager": "kubelet", "operation": "Update", "subresource": "status", "time": AT}],
        "ownerReferences": [{"apiVersion": "v1", "kind": "Owner", "name": "mill", "uid": "u", "controller": True}],
        **more,
    }


def condition(kind: str, status: str = "True", **more: Any) -> Json:
    """Return one of an object's conditions."""
    return {"type": kind, "status": status, "lastTransitionTime": AT, "reason": "R", "message": "in words", **more}


MANAGED_FIELDS: Final = [
    {
        "manager": "kubectl",
        "operation": "Update",
        "subresource": "scale",
        "time": AT,
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:replicas": {}}},
    },
    {
        "manager": "kubectl-set",
        "operation": "Update",
        "time": AT,
        "fieldsType": "FieldsV1",
        "fieldsV1": {
            "f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"web"}': {".": {}, "f:image": {}}}}}}
        },
    },
]
RESOURCES: Final = {
    "requests": {"cpu": "250m", "memory": "256M"},
    "limits": {"cpu": "1", "memory": "1Gi"},
}
CONTAINER: Final = {
    "name": "web",
    "image": "registry.example/web:1",
    "resources": RESOURCES,
    "ports": [{"containerPort": 8080}],
    "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "mill-secrets", "key": "a"}}}],
}
POD_SPEC: Final = {
    "nodeName": "node-1",
    "containers": [CONTAINER, {"name": "proxy", "image": "proxy:1"}],
    "initContainers": [{"name": "first", "resources": RESOURCES}, {"name": "beside", "restartPolicy": "Always"}],
    "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}, {"name": "tmp", "emptyDir": {}}],
    "overhead": {"cpu": "10m", "memory": "1Mi"},
    "resources": {"requests": {"cpu": "2"}},
}
ENDED: Final = {
    "terminated": {"exitCode": 3, "reason": "Error", "message": "token=a", "startedAt": AT, "finishedAt": AT}
}
POD: Final = {
    "kind": "Pod",
    "metadata": metadata("web-1"),
    "spec": POD_SPEC,
    "status": {
        "phase": "Running",
        "reason": "Evicted",
        "message": "in words",
        "podIP": "10.0.0.7",
        "conditions": [
            condition("PodReadyToStartContainers"),
            condition("Ready", "False", reason="ReadinessGatesNotReady"),
            condition("PodScheduled", "False", reason="Unschedulable"),
            condition("DisruptionTarget"),
        ],
        "containerStatuses": [
            {
                "name": "web",
                "ready": False,
                "restartCount": 2,
                "imageID": "sha256:1",
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off https://a:b@c"}},
                "lastState": ENDED,
            },
            {"name": "proxy", "ready": False, "state": {"running": {"startedAt": AT}}, "lastState": {}},
        ],
        "initContainerStatuses": [{"name": "first", "ready": True, "restartCount": 0, "state": ENDED}],
    },
}
TEMPLATE: Final = {"metadata": {"labels": LABELS, "annotations": {"a": "b"}}, "spec": POD_SPEC}
JOB: Final = {
    "kind": "Job",
    "metadata": metadata("migrate-1", labels={**LABELS, "mill.dev/task": "web"}),
    "spec": {"template": TEMPLATE, "activeDeadlineSeconds": 3600},
    "status": {
        "startTime": AT,
        "completionTime": AT,
        "conditions": [condition("FailureTarget"), condition("Failed"), condition("Complete", "False")],
    },
}
MILL_DEPLOYMENT: Final = {
    "kind": "MillDeployment",
    "metadata": metadata(
        "mill",
        labels={"kustomize.toolkit.fluxcd.io/name": "shop", "argocd.argoproj.io/instance": ""},
        annotations={
            "argocd.argoproj.io/tracking-id": "shop:mill.dev/MillDeployment:shop/mill",
            "restart.mill.dev/web": "1",
            "mill.dev/request": "0123456789ab",
        },
    ),
    "spec": {
        "services": [{"name": "web", "image": "web:1", "replicas": 2}, {"name": "api", "image": "api:1"}],
        "tasks": [{"name": "migrate", "image": "web:1"}],
    },
    "status": {
        "observedGeneration": 3,
        "rollout": {"id": "3", "startedAt": AT, "finishedAt": AT, "success": True},
        "services": [{"name": "web", "state": "Healthy", "replicas": {"desired": 2, "updated": 2, "healthy": 2}}],
        "conditions": [{**condition("Ready"), "observedGeneration": 3}],
        "history": [{"id": "2", "startedAt": AT, "finishedAt": AT, "success": False}],
    },
}
LEASE: Final = {
    "kind": "Lease",
    "metadata": metadata("mill-operator"),
    "spec": {
        "holderIdentity": "a_1",
        "leaseDurationSeconds": 15,
        "acquireTime": "2026-01-31T12:00:00.000000Z",
        "renewTime": "2026-01-31T12:00:00.000000Z",
        "leaseTransitions": 1,
    },
}
EVENTS: Final = {
    "items": [
        {
            "metadata": metadata("web.1"),
            "reason": "Failed",
            "message": "in words",
            "involvedObject": {"kind": "Pod", "fieldPath": "spec.containers{web}"},
            "lastTimestamp": AT,
        },
        {"metadata": metadata("web.2"), "reason": "Pulled", "eventTime": AT, "series": {"lastObservedTime": AT}},
    ]
}
NODE: Final = {
    "kind": "Node",
    "metadata": {**metadata("node-1"), "namespace": None},
    "spec": {"unschedulable": True},
    "status": {
        "allocatable": {"cpu": "4", "memory": "8Gi"},
        "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Hostname", "address": "node-1"}],
        "conditions": [condition("Ready")],
        "nodeInfo": {"operatingSystem": "linux", "architecture": "amd64"},
    },
}
REPLICA_SET: Final = {"metadata": metadata("web-1"), "spec": {"template": TEMPLATE}}
CLAIM: Final = {
    "kind": "PersistentVolumeClaim",
    "metadata": metadata("data"),
    "spec": {"volumeName": "pv", "storageClassName": "fast", "resources": {"requests": {"storage": "1Gi"}}},
    "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}},
}
CHILDREN: Final = {
    "Deployment": {
        "metadata": metadata("web", managedFields=MANAGED_FIELDS),
        "spec": {"replicas": 2, "template": TEMPLATE},
        "status": {"observedGeneration": 3, "conditions": [condition("ReplicaFailure")]},
    },
    "Service": {"metadata": metadata("web"), "spec": {"ports": [{"port": 8080}]}, "status": {}},
    "Ingress": {
        "metadata": metadata("web"),
        "spec": {
            "ingressClassName": "nginx",
            "rules": [{"host": "shop.example.com", "http": {"paths": [{"path": "/api", "pathType": "Prefix"}]}}],
            "tls": [{"hosts": ["shop.example.com"], "secretName": "web-tls"}],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.10", "hostname": "lb.example.com"}]}},
    },
    "PersistentVolumeClaim": CLAIM,
    "ConfigMap": {"metadata": metadata("web-files-0", labels={"mill.dev/files": "0", "mill.dev/task": "migrate"})},
    "CronJob": {
        "metadata": metadata("migrate"),
        "spec": {
            "schedule": "0 3 * * 1-5",
            "timeZone": "Europe/Berlin",
            "suspend": False,
            "startingDeadlineSeconds": 600,
            "jobTemplate": {"spec": JOB["spec"]},
        },
        "status": {"lastScheduleTime": "2026-01-31T02:00:00Z"},
    },
}
NAMESPACE: Final = {
    "kind": "Namespace",
    "metadata": metadata(
        "shop",
        annotations={
            "mill.dev/allowed-hosts": "shop.example.com, *.team-a.example.com",
            "mill.dev/shared-routes": "true",
        },
    ),
    "status": {"phase": "Active"},
}
POD_METRICS: Final = {
    "items": [
        {
            "metadata": metadata("web-1"),
            "containers": [{"name": "web", "usage": {"cpu": "123456n", "memory": "1234Ki"}}],
        }
    ]
}
REFUSAL: Final = {
    "kind": "Status",
    "code": 409,
    "reason": "Conflict",
    "message": "in words",
    "details": {"kind": "pods", "retryAfterSeconds": 5, "causes": [{"reason": "NamespaceTerminating"}]},
}


def changed(body: Json, path: str, value: Any) -> Json:
    """Return a copy in which what is at a path (`status.conditions.0.type`) is another value; `...`: nothing."""
    copy = json.loads(json.dumps(body))
    *way, last = [int(step) if step.isdecimal() else step for step in path.split(".")]
    part: Any = copy
    for step in way:
        part = part[step]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return copy


REVISION: Final = {
    "metadata": metadata(
        "mill-3",
        annotations={
            "mill.dev/rollout": "3",
            "mill.dev/asked": json.dumps({"by": "alice", "verified": True, "file": "shop.mill", "rollback": 1}),
            "mill.dev/result": json.dumps({"result": "Succeeded", "finishedAt": AT}),
            "mill.dev/digests": json.dumps({"web": "sha256:" + "a" * 64}),
            "mill.dev/tasks": json.dumps({"migrate": "0123456789abcdef"}),
        },
        ownerReferences=[{"apiVersion": "mill.dev/v1alpha1", "name": "mill", "uid": "uid", "controller": True}],
    ),
    "revision": 3,
    "data": {"spec": MILL_DEPLOYMENT["spec"]},
}
