"""The Job of a run of another program in the place of a service: `mill run web -- bin/rails console`.

It has the image, environment, files, volumes and limits of the service, and neither its ports, checks nor labels: no
Service selects its pod.
"""

from typing import Final

from mill_api import names
from mill_api.endpoints import Endpoints
from mill_api.environment import container_texts, with_port
from mill_api.file_mounts import mounted_files
from mill_api.manifests import PodOptions, container_of
from mill_api.owner import Owner
from mill_api.spec import Service, Task
from mill_api.text_rules import TASK_NAME
from mill_api.volumes import mount_volumes
from mill_gateway.core.spawning import (
    MOST_SHOWN,
    InvalidRunRequest,
    RunRequest,
    checked_request,
    owned_job,
    with_overrides,
)
from mill_objects.json import Json

_SUFFIX: Final = "-run"
_LONGEST_PREFIX: Final = TASK_NAME.max_length - len(_SUFFIX)
_OWN: Final = frozenset({"name", "command", "args", "labels", "after"})
"""Fields of services and tasks that a run does not take over. Labels would let Services of others select its pod."""
_SHARED: Final = Service.model_fields.keys() & Task.model_fields.keys() - _OWN


def task_of_service(service: str) -> str:
    """Return the name by which runs of a service are listed."""
    return service[:_LONGEST_PREFIX].rstrip("-") + _SUFFIX


def job_of_service(
    owner: Owner,
    service: Service,
    run: str,
    request: RunRequest,
    *,
    endpoints: Endpoints,
    options: PodOptions,
    beside_replicas: bool,
) -> Json:
    """Return the Job of a run, owned by the MillDeployment of the service. Raise `InvalidRunRequest`.

    `endpoints` are those of all services of the MillDeployment. `beside_replicas`: whether it must run on the node of
    the service's pods, which has their volume.
    """
    checked = checked_request(request)
    if not request.command:
        raise InvalidRunRequest("command: a run of a service needs a command")
    refused = [
        f"{each.path}: {each.message}"
        for each in options.permissions.refusals(service, restricted=options.restricted)
        if not each.path.startswith("labels.")
    ]
    if refused:
        raise InvalidRunRequest("\n".join(refused[:MOST_SHOWN]))
    taken = {name: getattr(service, name) for name in _SHARED}
    program = Task(**taken, name=task_of_service(service.name), timeout=checked.timeout, command=list(request.command))
    namespace = owner.key.namespace
    # What callers write is no reference: their words stand as they are.
    env = container_texts(program.model_copy(update={"command": None}), namespace=namespace, endpoints=endpoints)
    container = container_of(program, restricted=options.restricted)
    if entries := with_overrides(with_port(env.get("env", []), service.port), request.env or {}):
        container["env"] = entries
    job = owned_job(owner, program, run, container, options)
    template = job["spec"]["template"]
    pod = template["spec"]
    mount_volumes(service, pod, pod["containers"][0])
    volumes = [volume.name for volume in service.volumes]
    files = mounted_files("service", service, volumes, namespace=namespace, endpoints=endpoints)
    files.add_to(template)
    if files.digest:  # so that the operator keeps their ConfigMap while the run needs it
        job["metadata"]["labels"] = job["metadata"]["labels"] | {names.LABEL_FILES: files.digest}
    if beside_replicas:
        node = {"requiredDuringSchedulingIgnoredDuringExecution": [_node_of(owner, service)]}
        pod["affinity"] = {"podAffinity": node}
    return job


def _node_of(owner: Owner, service: Service) -> Json:
    return {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": owner.selector(service.name)}}
