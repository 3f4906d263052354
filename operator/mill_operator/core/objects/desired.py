"""A service or task → the objects that should exist for it, each by a function of its own.

An object's content is rendered when its hash is needed, and again when it is written: if it were kept, it would be most
of the operator's memory. Only fields that Mill manages are set; the others belong to other field managers (an
autoscaler's replicas, an injected sidecar).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from math import ceil
from types import MappingProxyType
from typing import Final

from mill_api import names
from mill_api.endpoints import Endpoints
from mill_api.environment import container_texts, first_secret
from mill_api.file_mounts import MountedFiles, mounted_files
from mill_api.manifests import container_of, deadline, run_spec
from mill_api.owner import Owner
from mill_api.placement import memory_limit, placed
from mill_api.ports import OutsideService, outside_services
from mill_api.schedule_rules import DEFAULT_DEADLINE
from mill_api.spec import Service, Task, Volume
from mill_api.volumes import keeps_data
from mill_objects.json import Json
from mill_objects.key import Key
from mill_operator.core.digest import digest
from mill_operator.core.objects.pods import (
    RenderOptions,
    files_of_service,
    pod_template,
    settle_time,
)
from mill_operator.core.objects.ports import outside_spec, service_ports
from mill_operator.core.objects.probes import least_live_time, start_budget
from mill_operator.core.objects.service import DesiredService, ServiceRequest

RUNS_KEPT = 20
"""How many Jobs of finished runs stay, of succeeded and of failed ones each. The defaults of Kubernetes are 3 and 1."""
API_VERSIONS: Final = {
    "Deployment": "apps/v1",
    "Service": "v1",
    "Ingress": "networking.k8s.io/v1",
    "PersistentVolumeClaim": "v1",
    "ConfigMap": "v1",
    "CronJob": "batch/v1",
}
"""The API version of each kind of child object."""


@dataclass(frozen=True, slots=True)
class ChildObject:
    """An object that should exist, without its content."""

    kind: str
    key: Key
    service: str | None
    applied: str
    """Hash of the content, which the object carries as an annotation."""
    task: str | None = None
    """The task that it belongs to, if it has another name than that."""

    @property
    def is_outside(self) -> bool:
        """Whether it is a Service of the type LoadBalancer: no other object names it."""
        return self.kind == "Service" and self.key.name != self.service

    @property
    def program(self) -> tuple[str, str]:
        """The service or task that it belongs to, as ("service" or "task", name)."""
        return ("task", self.task or self.key.name) if self.service is None else ("service", self.service)


@dataclass(frozen=True, slots=True)
class RenderedObject:
    """An object that should exist, as it is applied."""

    child: ChildObject
    body: Json


@dataclass(frozen=True, slots=True)
class Recipe:
    """The function that renders one object. It holds the object's input, so it is not kept."""

    kind: str
    name: str
    render: Callable[[], RenderedObject]


def service_recipes(
    owner: Owner, service: Service, endpoints: Endpoints, restart: str | None, options: RenderOptions, tls_secret: str
) -> Iterator[Recipe]:
    """Yield the recipes of a service, its Deployment first. `restart` changes with each request to restart it."""
    name = service.name
    yield Recipe("Deployment", name, partial(_deployment, owner, service, endpoints, restart, options))
    if service.port is not None or service.ports:
        yield Recipe("Service", name, partial(_service, owner, service))
    for outside in outside_services(name, service.ports) if options.outside else ():
        yield Recipe("Service", outside.name, partial(_outside_service, owner, name, outside))
    if service.routes:
        yield Recipe("Ingress", name, partial(_ingress, owner, service, options, tls_secret))
    for volume in service.volumes:
        if not volume.ephemeral:
            yield Recipe("PersistentVolumeClaim", volume.name, partial(_claim, owner, name, volume))
    files = files_of_service(owner, service, endpoints)
    if files.config_map:
        yield Recipe("ConfigMap", files.config_map, partial(_config_map, owner, "service", name, files))


def task_recipes(owner: Owner, task: Task, endpoints: Endpoints, options: RenderOptions) -> Iterator[Recipe]:
    """Yield the recipes of a task, its CronJob first."""
    yield Recipe("CronJob", task.name, partial(_cron_job, owner, task, endpoints, options))
    files = mounted_files("task", task, namespace=owner.key.namespace, endpoints=endpoints)
    if files.config_map:
        yield Recipe("ConfigMap", files.config_map, partial(_config_map, owner, "task", task.name, files))


def wanted(service: Service, deployment: RenderedObject, options: RenderOptions) -> DesiredService:
    """Return what the judge needs to know of a service."""
    secret = first_secret(service)
    return DesiredService(
        name=service.name,
        template=deployment.body["spec"]["template"]["metadata"]["labels"][names.LABEL_TEMPLATE],
        replicas=service.replicas,
        probed="readinessProbe" in deployment.body["spec"]["template"]["spec"]["containers"][0],
        recreate=keeps_data(service),
        request=ServiceRequest(
            service.image,
            memory_limit(service),
            (secret,) if secret else (),
            start_budget(service),
            has_command_alone=bool(service.command) and service.args is None,
            pull=service.pull or options.pull_secret or "",
            disks=_disks_of_root(service),
            user=service.user,
            has_read_only_root=service.read_only_root,
            least_live_time=least_live_time(service),
        ),
        settle=settle_time(service, options),
    )


def _disks_of_root(service: Service) -> tuple[str, ...]:
    """Return the paths of persistent volumes that may belong to root, and not to the user of the program."""
    if service.group is not None or service.user == 0:
        return ()
    return tuple(volume.path for volume in service.volumes if not volume.ephemeral)


def min_ready_seconds(settle: timedelta) -> int:
    """Return how long a new pod must be ready before an old one goes: a version that soon crashes replaces none.

    One second more than the window: Kubernetes counts from the beginning of the second in which the pod became ready,
    and the kubelet reports a crash late.
    """
    return ceil(settle.total_seconds()) + 1 if settle else 0


def with_template(deployment: RenderedObject, template: Json) -> RenderedObject:
    """Return a Deployment with the pod template of another version of it."""
    spec = {**deployment.body["spec"], "template": template}
    child = deployment.child
    return _stamped(child.kind, child.key, child.service, {**deployment.body, "spec": spec})


def _deployment(
    owner: Owner, service: Service, endpoints: Endpoints, restart: str | None, options: RenderOptions
) -> RenderedObject:
    spec: Json = {
        "selector": {"matchLabels": owner.selector(service.name)},
        # An old pod is deleted when a new one is available: a version that soon crashes replaces none.
        "minReadySeconds": min_ready_seconds(settle_time(service, options)),
        "revisionHistoryLimit": 5,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": _surge(service)}},
        "template": pod_template(owner, service, endpoints, restart, options),
    }
    if keeps_data(service):
        spec["strategy"] = {"type": "Recreate"}  # two pods must not write to one volume
    if service.replicas is not None:
        spec["replicas"] = service.replicas
    return _child(owner, "Deployment", service.name, service.name, {"spec": spec})


def _surge(service: Service) -> int | str:
    """Return how many pods an update may add. A percentage is rounded up by Kubernetes: it is at least one."""
    if service.update is None or service.update.surge is None:
        return "100%"
    return int(service.update.surge) if service.update.surge.isdigit() else service.update.surge


def _service(owner: Owner, service: Service) -> RenderedObject:
    spec = {"selector": owner.selector(service.name), "ports": service_ports(service)}
    return _child(owner, "Service", service.name, service.name, {"spec": spec})


def _outside_service(owner: Owner, name: str, outside: OutsideService) -> RenderedObject:
    return _child(owner, "Service", outside.name, name, {"spec": outside_spec(outside, owner.selector(name))})


def _claim(owner: Owner, service: str, volume: Volume) -> RenderedObject:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": volume.size}}}
    # No owner: only a person deletes data.
    return _child(owner, "PersistentVolumeClaim", volume.name, service, {"spec": spec}, owned=False)


def _config_map(owner: Owner, kind: str, program: str, files: MountedFiles) -> RenderedObject:
    """Return the ConfigMap of the files of a service or task. It never changes: another text has another name."""
    label = {names.LABEL_SERVICE: program} if kind == "service" else {names.LABEL_TASK: program}
    body = {
        "apiVersion": API_VERSIONS["ConfigMap"],
        "kind": "ConfigMap",
        "metadata": {
            "name": files.config_map,
            "namespace": owner.key.namespace,
            "labels": owner.labels(program) | label | {names.LABEL_FILES: files.digest},
            "ownerReferences": [owner.reference(controller=True)],
        },
        "immutable": True,
        "data": dict(files.data),
    }
    service, task = (program, None) if kind == "service" else (None, program)
    made = _stamped("ConfigMap", Key(owner.key.namespace, files.config_map), service, body)
    return replace(made, child=replace(made.child, task=task))


def _ingress(owner: Owner, service: Service, options: RenderOptions, tls_secret: str) -> RenderedObject:
    backend = {"service": {"name": service.name, "port": {"number": service.port}}}
    rules: dict[str, list[Json]] = {}
    for route in service.routes:
        rules.setdefault(route.host, []).append({"path": route.path, "pathType": "Prefix", "backend": backend})
    spec: Json = {"rules": [{"host": host, "http": {"paths": paths}} for host, paths in rules.items()]}
    annotations: dict[str, str] = {}
    if options.ingress_class is not None:
        spec["ingressClassName"] = options.ingress_class
    if options.tls_issuer is not None:
        spec["tls"] = [{"hosts": [*rules], "secretName": tls_secret}]
        annotations["cert-manager.io/cluster-issuer"] = options.tls_issuer
    return _child(owner, "Ingress", service.name, service.name, {"spec": spec}, annotations)


def _cron_job(owner: Owner, task: Task, endpoints: Endpoints, options: RenderOptions) -> RenderedObject:
    """Return the CronJob of a task, the template of its runs. Without a schedule it is suspended."""
    texts = container_texts(task, namespace=owner.key.namespace, endpoints=endpoints)
    container = container_of(task, restricted=options.restricted) | texts
    labels = {names.LABEL_TASK: task.name}
    job = run_spec(container, owner.pod_labels() | labels, task.timeout, service_account=options.service_account)
    job["template"] = placed(job["template"], task, options.permissions, pull_secret=options.pull_secret)
    files = mounted_files("task", task, namespace=owner.key.namespace, endpoints=endpoints)
    files.add_to(job["template"])
    if files.digest:
        labels |= {names.LABEL_FILES: files.digest}
    spec = {
        **_schedule(task),
        "successfulJobsHistoryLimit": RUNS_KEPT,
        "failedJobsHistoryLimit": RUNS_KEPT,
        "jobTemplate": {"metadata": {"labels": owner.labels(task.name) | labels}, "spec": job},
    }
    return _child(owner, "CronJob", task.name, None, {"spec": spec})


def _schedule(task: Task) -> Json:
    """Return when a CronJob starts runs by itself."""
    if task.schedule is None:
        return {"schedule": "0 0 31 2 *", "suspend": True}  # never; it is suspended anyway
    zone = {} if task.timezone is None else {"timeZone": task.timezone}
    return {
        "schedule": task.schedule,
        **zone,
        "suspend": False,
        "concurrencyPolicy": "Allow" if task.overlap else "Forbid",
        "startingDeadlineSeconds": deadline(task.deadline or DEFAULT_DEADLINE),
    }


def _child(
    owner: Owner,
    kind: str,
    name: str,
    service: str | None,
    content: Json,
    annotations: Mapping[str, str] = MappingProxyType({}),
    *,
    owned: bool = True,
) -> RenderedObject:
    labels = owner.labels(name)
    if service is not None:
        labels[names.LABEL_SERVICE] = service
    metadata: Json = {"name": name, "namespace": owner.key.namespace, "labels": labels}
    if annotations:
        metadata["annotations"] = dict(annotations)
    if owned:
        metadata["ownerReferences"] = [owner.reference(controller=True)]
    body = {"apiVersion": API_VERSIONS[kind], "kind": kind, "metadata": metadata, **content}
    return _stamped(kind, Key(owner.key.namespace, name), service, body)


def _stamped(kind: str, key: Key, service: str | None, body: Json) -> RenderedObject:
    """Return an object with the hash of its content in the annotation."""
    applied = digest(body)
    annotations = body["metadata"].get("annotations", {}) | {names.ANNOTATION_APPLIED: applied}
    metadata = {**body["metadata"], "annotations": annotations}
    return RenderedObject(ChildObject(kind, key, service, applied), {**body, "metadata": metadata})
