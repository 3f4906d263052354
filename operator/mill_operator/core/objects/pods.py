"""A service → its pod template: container, probes, mounts, resources and security context.

A new version of the operator should not change the template of an unchanged service: that restarts every service, a few
at a time (`core/rollout/updates`). The golden files in the tests hold it.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Final

from mill_api import names
from mill_api.durations import LONGEST, to_timedelta
from mill_api.endpoints import Endpoints
from mill_api.environment import container_texts
from mill_api.file_mounts import MountedFiles, mounted_files
from mill_api.manifests import LEAVE_SECONDS, MAX_STOP_SECONDS, container_of, pod_spec
from mill_api.owner import Owner
from mill_api.placement import placed
from mill_api.pod_permissions import NOTHING, PodPermissions
from mill_api.spec import Service, Volume
from mill_objects.json import Json
from mill_operator.core.digest import digest
from mill_operator.core.objects.ports import container_ports
from mill_operator.core.objects.service import DEFAULT_SETTLE

START_LIMIT: Final = timedelta(seconds=30)
STARTUP_CHECKS: Final = 600
"""Seconds, at a check each, after which the kubelet gives up a start. The judge ends a start before."""
STARTUP_MARGIN: Final = timedelta(minutes=1)
"""How much later than the judge the kubelet gives up a start."""


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """Settings of all objects that the operator renders. A change restarts the pods that it concerns."""

    service_account: str | None = None
    """The pods' ServiceAccount, with its pull secrets; None: the namespace's `default`."""
    restricted: bool = False
    """Whether containers keep the `restricted` Pod Security Standard: no root, no capabilities."""
    pull_secret: str | None = None
    """The Secret of registry credentials of programs that name none; None: those of the ServiceAccount alone."""
    permissions: PodPermissions = NOTHING
    """What the pods of services and tasks may have of their own."""
    ingress_class: str | None = None
    """IngressClass of all Ingresses; None: the cluster's default."""
    tls_issuer: str | None = None
    """cert-manager's ClusterIssuer for the certificates of all routes; None: no TLS."""
    outside: bool = False
    """Whether services may have ports outside, by load balancers."""
    settle: timedelta = DEFAULT_SETTLE
    """How long the replicas of a new version must stay ready, where the service does not say. Restarts nothing."""


DEFAULTS: Final = RenderOptions()


def pod_template(
    owner: Owner, service: Service, endpoints: Endpoints, restart: str | None, options: RenderOptions
) -> Json:
    """Return the template of a service's pods, labeled with its own hash. `endpoints` are those of all services."""
    texts = container_texts(service, namespace=owner.key.namespace, endpoints=endpoints)
    env = texts.pop("env", [])
    container = container_of(service, restricted=options.restricted) | texts
    if service.port is not None:
        env = [entry for entry in env if entry["name"] != "PORT"]
        env.append({"name": "PORT", "value": str(service.port)})
    if ports := container_ports(service):
        container["ports"] = ports
        if service.port is not None:
            container |= _probes(service, service.port)
        if not keeps_data(service):
            container["lifecycle"] = {"preStop": {"sleep": {"seconds": LEAVE_SECONDS}}}
    if env:
        container["env"] = env
    if service.volumes:
        container["volumeMounts"] = [{"name": each.name, "mountPath": each.path} for each in service.volumes]
    spec = pod_spec(container, service_account=options.service_account)
    if "lifecycle" in container:
        spec["terminationGracePeriodSeconds"] = MAX_STOP_SECONDS  # it includes the sleep
    spec["topologySpreadConstraints"] = [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": owner.selector(service.name)},
        }
    ]
    if service.volumes:
        spec["volumes"] = [_volume(each) for each in service.volumes]
    metadata: Json = {"labels": owner.pod_labels() | {names.LABEL_SERVICE: service.name}}
    if restart is not None:
        metadata["annotations"] = {names.ANNOTATION_RESTART: restart}
    template = placed(
        {"metadata": metadata, "spec": spec}, service, options.permissions, pull_secret=options.pull_secret
    )
    files_of_service(owner, service, endpoints).add_to(template)
    metadata = template["metadata"]
    return {
        "metadata": {**metadata, "labels": metadata["labels"] | {names.LABEL_TEMPLATE: digest(template)}},
        "spec": template["spec"],
    }


def files_of_service(owner: Owner, service: Service, endpoints: Endpoints) -> MountedFiles:
    """Return the files of a service, as its pods mount them."""
    volumes = [volume.name for volume in service.volumes]
    return mounted_files("service", service, volumes, namespace=owner.key.namespace, endpoints=endpoints)


def _probes(service: Service, port: int) -> Json:
    """Return the probes. The judge ends a start, never the kubelet, which would only restart a slow container."""
    if service.health is None or service.health.path is None:
        return {"readinessProbe": {"tcpSocket": {"port": port}, "periodSeconds": 2}}
    get = {"httpGet": {"path": service.health.path, "port": port}, "timeoutSeconds": 5}
    interval = max(1, round(to_timedelta(service.health.interval).total_seconds()))
    return {
        "startupProbe": {**get, "periodSeconds": 1, "failureThreshold": _startup_checks(service)},
        "readinessProbe": {**get, "periodSeconds": interval, "failureThreshold": service.health.failure_threshold},
    }


def start_budget(service: Service) -> timedelta:
    """Return how long a container may take from its first start until it is ready."""
    if service.health is None:
        return START_LIMIT
    if service.health.start is not None:
        return min(LONGEST, to_timedelta(service.health.start))
    checks = to_timedelta(service.health.interval) * service.health.failure_threshold
    return min(LONGEST, max(START_LIMIT, checks))  # what is added to a time must not overflow


def keeps_data(service: Service) -> bool:
    """Whether a service has a persistent volume: then its old pods end before new ones begin."""
    return any(not volume.ephemeral for volume in service.volumes)


def settle_time(service: Service, options: RenderOptions) -> timedelta:
    """Return how long the replicas of a new version must stay ready."""
    update = service.update
    return options.settle if update is None or update.settle is None else to_timedelta(update.settle)


def _startup_checks(service: Service) -> int:
    """Return after how many checks, one a second, the kubelet gives up a start: only for a long `start` above 600."""
    if service.health is None or service.health.start is None:
        return STARTUP_CHECKS
    return max(STARTUP_CHECKS, ceil((start_budget(service) + STARTUP_MARGIN).total_seconds()))


def _volume(volume: Volume) -> Json:
    if not volume.ephemeral:
        return {"name": volume.name, "persistentVolumeClaim": {"claimName": volume.name}}
    return {"name": volume.name, "emptyDir": {"sizeLimit": volume.size} if volume.size else {}}
