"""MillDeployment → the complete list of objects that should exist for it.

Only fields that we mean are set: what we leave out belongs to others (an autoscaler's replicas, an injected sidecar).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from mill_api import names
from mill_api.key import Key
from mill_api.owner import Owner
from mill_api.programs import container_of, run_spec
from mill_api.spec import MillDeploymentSpec, Service, Task, Volume
from mill_operator.core.digest import digest
from mill_operator.core.faults import Fault, fault_of
from mill_operator.core.objects.environment import environment, secrets_in
from mill_operator.core.objects.pods import DEFAULTS, Options, pod_template, start_budget
from mill_operator.core.verdicts.judge import Wanted
from mill_operator.core.verdicts.subject import Asked

MIN_READY_SECONDS = 10
"""How long a new pod must be ready before an old one goes: a version that listens and then dies costs none."""
RUNS_KEPT = 20
"""How many Jobs of runs that have ended stay, of good and of bad ones each. Left out, Kubernetes keeps 3 and 1."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Child:
    """An object that should exist, as it is applied."""

    kind: str
    key: Key
    service: str | None
    body: Json
    applied: str
    """Hash of the body; stands in its annotation."""


@dataclass(frozen=True, slots=True)
class Desired:
    """Everything that should exist, and what the judge needs to know of each service."""

    children: tuple[Child, ...]
    services: tuple[Wanted, ...]
    """All of them, also those that could not be rendered and have no children: see `Wanted.fault`."""
    tasks: Mapping[str, Fault] = field(default_factory=dict)
    """Those that could not be rendered."""

    @property
    def unrendered(self) -> frozenset[tuple[str, str]]:
        """Return what could not be rendered, as ("service" or "task", name): it is wanted, and is left as it is."""
        services = {("service", service.name) for service in self.services if service.fault is not None}
        return frozenset(services | {("task", task) for task in self.tasks})


def desired(
    owner: Owner, spec: MillDeploymentSpec, restarts: Mapping[str, str], options: Options = DEFAULTS
) -> Desired:
    """Return what should exist. `restarts` has a value for each service that somebody wanted restarted, ever.

    An unexpected error is that service's or task's alone: its neighbours are rendered.
    """
    ports = {service.name: service.port for service in spec.services}
    children: list[Child] = []
    services: list[Wanted] = []
    for service in spec.services:
        try:
            template = pod_template(owner, service, ports, restarts.get(service.name), options)
            ours = list(_service_children(owner, service, template, options))
            wanted = _wanted(service, template)
        except Exception as error:  # noqa: BLE001 - whatever it is, its neighbours have nothing to do with it
            ours, wanted = [], _unrendered(service, fault_of(error))
        children += ours
        services.append(wanted)
    tasks: dict[str, Fault] = {}
    for task in spec.tasks:
        try:
            children.append(_cron_job(owner, task, ports, options))
        except Exception as error:  # noqa: BLE001 - as above
            tasks[task.name] = fault_of(error)
    return Desired(tuple(children), tuple(services), tasks)


def _wanted(service: Service, template: Json) -> Wanted:
    return Wanted(
        name=service.name,
        template=template["metadata"]["labels"][names.LABEL_TEMPLATE],
        replicas=service.replicas,
        probed=service.port is not None,
        recreate=_keeps_data(service),
        asked=Asked(service.image, service.memory, secrets_in(service.env), start_budget(service)),
    )


def _unrendered(service: Service, fault: Fault) -> Wanted:
    asked = Asked(service.image, service.memory)
    return Wanted(service.name, "", service.replicas, probed=service.port is not None, asked=asked, fault=fault)


def _service_children(owner: Owner, service: Service, template: Json, options: Options) -> Iterator[Child]:
    yield _deployment(owner, service, template)
    if service.port is not None:
        ports = [{"name": "main", "port": service.port, "targetPort": service.port, "protocol": "TCP"}]
        spec = {"selector": owner.selector(service.name), "ports": ports}
        yield _child(owner, "Service", "v1", service.name, service.name, {"spec": spec})
    if service.routes:
        yield _ingress(owner, service, options)
    for volume in service.volumes:
        if not volume.ephemeral:
            yield _claim(owner, service.name, volume)


def _deployment(owner: Owner, service: Service, template: Json) -> Child:
    spec: Json = {
        "selector": {"matchLabels": owner.selector(service.name)},
        "minReadySeconds": MIN_READY_SECONDS,
        "revisionHistoryLimit": 5,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "100%"}},
        "template": template,
    }
    if _keeps_data(service):
        spec["strategy"] = {"type": "Recreate"}  # two pods must not write to one volume
    if service.replicas is not None:
        spec["replicas"] = service.replicas
    return _child(owner, "Deployment", "apps/v1", service.name, service.name, {"spec": spec})


def with_template(child: Child, template: Json) -> Child:
    """Return a Deployment with the pod template of another version of it."""
    spec = {**child.body["spec"], "template": template}
    return _stamped(child.kind, child.key, child.service, {**child.body, "spec": spec})


def _keeps_data(service: Service) -> bool:
    return any(not volume.ephemeral for volume in service.volumes)


def _claim(owner: Owner, service: str, volume: Volume) -> Child:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": volume.size}}}
    # No owner: nothing but a person deletes data.
    return _child(owner, "PersistentVolumeClaim", "v1", volume.name, service, {"spec": spec}, owned=False)


def _ingress(owner: Owner, service: Service, options: Options) -> Child:
    backend = {"service": {"name": service.name, "port": {"number": service.port}}}
    rules: dict[str, list[Json]] = {}
    for route in service.routes:
        rules.setdefault(route.host, []).append({"path": route.path, "pathType": "Prefix", "backend": backend})
    spec: Json = {"rules": [{"host": host, "http": {"paths": paths}} for host, paths in rules.items()]}
    annotations: dict[str, str] = {}
    if options.ingress_class is not None:
        spec["ingressClassName"] = options.ingress_class
    if options.tls_issuer is not None:
        spec["tls"] = [{"hosts": [*rules], "secretName": f"{service.name}-tls"}]
        annotations["cert-manager.io/cluster-issuer"] = options.tls_issuer
    return _child(owner, "Ingress", "networking.k8s.io/v1", service.name, service.name, {"spec": spec}, annotations)


def _cron_job(owner: Owner, task: Task, ports: dict[str, int | None], options: Options) -> Child:
    """Return a suspended CronJob: the template that `mill spawn` and `kubectl create job --from` both use."""
    container = container_of(task, restricted=options.restricted)
    if env := environment(task.env, namespace=owner.key.namespace, ports=ports):
        container["env"] = env
    labels = owner.labels(task.name) | {names.LABEL_TASK: task.name}
    job = run_spec(container, labels, task.timeout, service_account=options.service_account)
    spec = {
        "schedule": "0 0 31 2 *",  # never; it is suspended anyway
        "suspend": True,
        "successfulJobsHistoryLimit": RUNS_KEPT,
        "failedJobsHistoryLimit": RUNS_KEPT,
        "jobTemplate": {"metadata": {"labels": labels}, "spec": job},
    }
    return _child(owner, "CronJob", "batch/v1", task.name, None, {"spec": spec})


def _child(
    owner: Owner,
    kind: str,
    api_version: str,
    name: str,
    service: str | None,
    content: Json,
    annotations: Mapping[str, str] = MappingProxyType({}),
    *,
    owned: bool = True,
) -> Child:
    labels = owner.labels(name)
    if service is not None:
        labels[names.LABEL_SERVICE] = service
    metadata: Json = {"name": name, "namespace": owner.key.namespace, "labels": labels}
    if annotations:
        metadata["annotations"] = dict(annotations)
    if owned:
        metadata["ownerReferences"] = [owner.reference(controller=True)]
    body = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}
    return _stamped(kind, Key(owner.key.namespace, name), service, body)


def _stamped(kind: str, key: Key, service: str | None, body: Json) -> Child:
    """Write a body's hash into it, in place of an older one."""
    applied = digest(body)
    annotations = body["metadata"].get("annotations", {}) | {names.ANNOTATION_APPLIED: applied}
    metadata = {**body["metadata"], "annotations": annotations}
    return Child(kind, key, service, {**body, "metadata": metadata}, applied)
