"""Kubernetes objects as the API server shows them, with what the gateway reads."""

from itertools import count
from typing import Any

from mill_api.owner import Owner
from mill_api.revisions import ANNOTATION_RESULT, new_revision, recorded_result
from mill_objects.json import Json
from mill_objects.key import Key

_versions = count(1000)
CREATED = "2026-02-14T10:00:00Z"


def meta(name: str, namespace: str = "default", **more: Any) -> Json:
    """Metadata; a newer version each time."""
    return {
        "name": name,
        "namespace": namespace,
        "uid": f"uid-of-{namespace}-{name}",
        "resourceVersion": str(next(_versions)),
        "creationTimestamp": CREATED,
        **more,
    }


def mill_deployment(
    *services: Json, name: str = "mill", namespace: str = "default", status: Json | None = None, **spec: Any
) -> Json:
    """A MillDeployment with these services in its spec."""
    return {
        "apiVersion": "mill.dev/v1alpha1",
        "kind": "MillDeployment",
        "metadata": meta(name, namespace, generation=1, uid="0123456789abcdef"),
        "spec": {"services": list(services), **spec},
        "status": status or {},
    }


def with_run(run: str, **more: Any) -> Json:
    """A MillDeployment whose status has this run of the task `migrate` alone."""
    state = {"name": run, "createdAt": "2026-02-14T10:00:00Z", **more}
    return mill_deployment(status={"tasks": [{"name": "migrate", "runs": [state]}]})


def revision(
    number: int,
    *services: Json,
    annotations: dict[str, str] | None = None,
    result: str | None = "Succeeded",
    uid: str = "0123456789abcdef",
    **spec: Any,
) -> Json:
    """The ControllerRevision of a MillDeployment `mill`, with these services in its spec."""
    known = annotations or {}
    if result is not None:
        known = {ANNOTATION_RESULT: recorded_result(result, CREATED), **known}
    made = new_revision(Owner(Key("default", "mill"), uid), number, {"services": list(services), **spec}, known)
    return {**made, "metadata": meta(made["metadata"]["name"]) | made["metadata"]}


def labels(program: str, kind: str, deployment: str = "mill") -> Json:
    """The labels of a child."""
    return {
        "app.kubernetes.io/managed-by": "mill",
        "app.kubernetes.io/name": program,
        "mill.dev/deployment": deployment,
        f"mill.dev/{kind}": program,
    }


def pod(
    program: str,
    suffix: str = "0",
    *,
    kind: str = "service",
    deployment: str = "mill",
    namespace: str = "default",
    node: str | None = "node-1",
    ready: bool = True,
    state: Json | None = None,
    phase: str = "Running",
    cpu: str = "500m",
    memory: str = "512M",
    claims: tuple[str, ...] = (),
    template: str = "aaaa",
    run: str | None = None,
    restarts: int = 0,
    **more: Any,
) -> Json:
    """A pod of a service, or of a run of a task."""
    own = labels(program, kind, deployment) | ({"mill.dev/template": template} if kind == "service" else {})
    if run:
        own["batch.kubernetes.io/job-name"] = run
    container: Json = {"name": program, "resources": {"requests": {"cpu": cpu, "memory": memory}}}
    if kind == "service":
        container["ports"] = [{"containerPort": 8080}]
    owner = {"kind": "ReplicaSet" if kind == "service" else "Job", "name": program, "controller": True}
    volumes = [{"name": each, "persistentVolumeClaim": {"claimName": each}} for each in claims]
    return {
        "kind": "Pod",
        "metadata": meta(f"{program}-{suffix}", namespace, labels=own, ownerReferences=[owner], **more),
        "spec": {"containers": [container], "volumes": volumes, **({"nodeName": node} if node else {})},
        "status": {
            "phase": phase,
            "podIP": "10.244.0.7" if node else None,
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": [
                {
                    "name": program,
                    "imageID": "sha256:1",
                    "restartCount": restarts,
                    "ready": ready,
                    "state": state or {"running": {"startedAt": "2026-02-14T10:00:01Z"}},
                }
            ],
        },
    }


def job(name: str, task: str, *, namespace: str = "default", status: Json | None = None) -> Json:
    """A run of a task."""
    own = labels(task, "task")
    container = {"name": task, "resources": {"requests": {"cpu": "250m", "memory": "256M"}}}
    return {
        "kind": "Job",
        "metadata": meta(name, namespace, labels=own),
        "spec": {"template": {"metadata": {"labels": own}, "spec": {"containers": [container]}}},
        "status": status or {},
    }


def claim(name: str, service: str, *, namespace: str = "default", size: str = "5Gi", phase: str = "Bound") -> Json:
    """A volume."""
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": meta(name, namespace, labels=labels(service, "service")),
        "spec": {"volumeName": f"pv-{name}", "resources": {"requests": {"storage": size}}},
        "status": {"phase": phase, "capacity": {"storage": size}},
    }


def ingress(
    service: str,
    host: str,
    path: str = "/",
    *,
    deployment: str = "mill",
    namespace: str = "default",
    ingress_class: str | None = None,
    tls: bool = False,
    address: str | None = None,
) -> Json:
    """The Ingress of a service with one route; `address` is what its controller has published."""
    spec: Json = {"rules": [{"host": host, "http": {"paths": [{"path": path, "pathType": "Prefix"}]}}]}
    if ingress_class is not None:
        spec["ingressClassName"] = ingress_class
    if tls:
        spec["tls"] = [{"hosts": [host], "secretName": f"{service}-tls"}]
    published = [{"ip": address}] if address else []
    return {
        "kind": "Ingress",
        "metadata": meta(service, namespace, labels=labels(service, "service", deployment)),
        "spec": spec,
        "status": {"loadBalancer": {"ingress": published}},
    }


def node(name: str = "node-1", *, cpu: str = "4", memory: str = "8Gi", ready: bool = True, **spec: Any) -> Json:
    """A node. Nodes have no namespace."""
    return {
        "kind": "Node",
        "metadata": meta(name, ""),
        "spec": spec,
        "status": {
            "allocatable": {"cpu": cpu, "memory": memory},
            "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "nodeInfo": {"operatingSystem": "linux", "architecture": "amd64"},
        },
    }


def cron_job(task: str, *, namespace: str = "default", deployment: str = "mill", **more: Any) -> Json:
    """The template of a task's runs."""
    own = labels(task, "task", deployment)
    container = {"name": task, "resources": {}}
    owner = {
        "apiVersion": "mill.dev/v1alpha1",
        "kind": "MillDeployment",
        "name": deployment,
        "uid": "0123456789abcdef",
        "controller": True,
    }
    return {
        "kind": "CronJob",
        "metadata": meta(task, namespace, labels=own, ownerReferences=[owner], **more),
        "spec": {
            "jobTemplate": {
                "metadata": {"labels": own},
                "spec": {"template": {"metadata": {}, "spec": {"containers": [container]}}},
            }
        },
    }
