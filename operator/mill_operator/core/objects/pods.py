"""A service → its pod template: container, probes, mounts, resources and security context.

A new version of the operator should not change the template of an unchanged service: that restarts every service, a few
at a time (`core/rollout/updates`). The golden files in the tests hold it.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from mill_api import names
from mill_api.constraints import LONGEST_SETTLE
from mill_api.durations import to_timedelta
from mill_api.endpoints import Endpoints
from mill_api.environment import container_texts, with_port
from mill_api.file_mounts import MountedFiles, mounted_files
from mill_api.manifests import container_of, pod_spec
from mill_api.owner import Owner
from mill_api.placement import placed
from mill_api.pod_permissions import NOTHING, PodPermissions
from mill_api.spec import Service
from mill_api.stopping import LEAVE_SECONDS
from mill_api.volumes import keeps_data, mount_volumes
from mill_objects.json import Json
from mill_operator.core.digest import digest
from mill_operator.core.objects.ports import container_ports
from mill_operator.core.objects.probes import first_live_restart, probes
from mill_operator.core.objects.service import DEFAULT_SETTLE


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
    env = with_port(env, service.port)
    ports = container_ports(service)
    if ports:
        container["ports"] = ports
    container |= probes(service)
    if ports and not keeps_data(service):
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": LEAVE_SECONDS}}}
    if env:
        container["env"] = env
    spec = pod_spec(container, service_account=options.service_account)
    spec["topologySpreadConstraints"] = [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": owner.selector(service.name)},
        }
    ]
    mount_volumes(service, spec, container)
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


def settle_time(service: Service, options: RenderOptions) -> timedelta:
    """Return how long the replicas of a new version must stay ready.

    Where the service does not say, a live check that never succeeds must have had the time to show it.
    """
    update = service.update
    if update is not None and update.settle is not None:
        return to_timedelta(update.settle)
    if service.live is None or not options.settle:
        return options.settle
    return max(options.settle, min(LONGEST_SETTLE, first_live_restart(service.live)))
