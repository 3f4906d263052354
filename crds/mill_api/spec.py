"""The `spec` of a MillDeployment: the models of the desired state.

They are the single source of the API: `crd` generates the CRD from them, `mill_language` reads `.mill` files into them,
and the operator reads the resource into them. `kubectl explain` shows the description of a field; `crd` adds its
default and limits.

Quantities are canonical Kubernetes quantities. In a `.mill` file `512M` and `1m` are megabytes, which the parser
converts: as a Kubernetes quantity, `1m` of memory is a thousandth of a byte.
"""

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from mill_api import names
from mill_api.checks import Health, Live
from mill_api.constraints import (
    MAX_AFTER,
    MAX_FILES,
    MAX_PORTS,
    MAX_ROUTES,
    MAX_SERVICES,
    MAX_TASKS,
    MAX_VOLUMES,
    PORT,
    REPLICAS,
)
from mill_api.fields import (
    ARGS_DESCRIPTION,
    COMMAND_DESCRIPTION,
    AbsolutePath,
    ApiModel,
    Command,
    Duration,
    Env,
    HostName,
    Image,
    OtherService,
    Quantity,
    ServiceName,
    SettleTime,
    Surge,
    TaskName,
    VolumeName,
)
from mill_api.files import File
from mill_api.place import (
    Annotations,
    Gpu,
    Group,
    Labels,
    LimitsField,
    PlaceField,
    Pull,
    ReadOnlyRoot,
    User,
)
from mill_api.ports import Port
from mill_api.schedule_rules import DeadlineField, OverlapField, ScheduleField, TimeZoneField
from mill_api.service_rules import SERVICE_RULES
from mill_api.stopping import Stop, StopSignalField


class Update(ApiModel):
    """How a new version replaces the old one."""

    settle: SettleTime | None = Field(
        None,
        description="Time for which all replicas must stay ready before the update has succeeded, such as 10s; from 0s "
        "to 5m. If it is left out, the operator's setting applies, which is 10s by default.",
    )
    surge: Surge | None = Field(
        None,
        description="Pods that an update may add to the replicas at a time: a number such as 1, or a percentage such "
        "as 25%; at least one pod, at most as many as the replicas. If it is left out, 100%: all new replicas start at "
        "once. Old ones go as new ones become available.",
    )


class Route(ApiModel):
    """A host name and path at which the service is reachable from outside the cluster. Becomes an Ingress."""

    host: HostName = Field(description="Host name, such as www.example.com or *.example.com.")
    path: AbsolutePath = Field("/", description="Path prefix. Starts with '/'.")
    websocket: bool = Field(default=False, description="Whether connections may be upgraded to WebSocket.")


class Volume(ApiModel):
    """A file system that is mounted into the service's container."""

    name: VolumeName = Field(description="Name of the volume and of its PersistentVolumeClaim.")
    path: AbsolutePath = Field(description="Mount path in the container. Starts with '/'.")
    size: Quantity | None = Field(
        None,
        description="Size of a persistent volume in bytes, such as 5Gi. It can grow later, and cannot shrink. "
        "Required unless the volume is ephemeral.",
    )
    ephemeral: bool = Field(
        default=False, description="Whether the data may be lost with the pod. A persistent volume allows one replica."
    )


class Service(ApiModel):
    """A program that keeps running in a number of equal replicas, reachable by its name."""

    name: ServiceName = Field(description="Name of the service. Becomes a DNS name.")
    image: Image = Field(description="Container image with a tag or digest.")
    port: int | None = Field(
        None,
        ge=PORT.least,
        le=PORT.most,
        description="TCP port on which the program listens; the environment variable PORT has it too. A service "
        "without a port has no address, and is healthy after running for two seconds.",
    )
    ports: list[Port] = Field(
        default_factory=list, max_length=MAX_PORTS, description="Named ports, beside the main one."
    )
    replicas: int | None = Field(
        None,
        ge=REPLICAS.least,
        le=REPLICAS.most,
        description="Number of replicas. If it is left out, the service starts with one, and an autoscaler may change "
        "the number.",
    )
    cpu: Quantity = Field(
        "250m",
        description="CPU cores that each replica requests, and is limited to unless there are limits; 0.25 is a "
        "quarter of one.",
    )
    memory: Quantity = Field(
        "256M",
        description="Memory in bytes that each replica requests, and is limited to unless there are limits, such as "
        "512M.",
    )
    command: Command | None = Field(None, description=COMMAND_DESCRIPTION)
    args: Command | None = Field(None, description=ARGS_DESCRIPTION)
    env: Env = Field(
        default_factory=dict,
        description="Environment variables. ${secret(NAME)} and references such as ${service.NAME.address} are "
        "replaced by their values; $${ is a literal ${.",
    )
    health: Health | None = Field(
        None, description="Health check. Without one, a service is healthy once its port accepts connections."
    )
    live: Live | None = Field(
        None,
        description="Check of a container that runs. If it fails several times, the container is restarted. Without "
        "it, only a program that ends is started again.",
    )
    update: Update | None = Field(None, description="How a new version replaces the old one.")
    after: list[OtherService] = Field(
        default_factory=list,
        json_schema_extra={"maxItems": MAX_AFTER, "x-kubernetes-list-type": "set"},
        description="Names of services that must have settled in their new version before this one starts or changes.",
    )
    routes: list[Route] = Field(
        default_factory=list,
        max_length=MAX_ROUTES,
        description="Host names and paths at which the service is reachable from outside the cluster.",
    )
    volumes: list[Volume] = Field(
        default_factory=list, max_length=MAX_VOLUMES, description="File systems that are mounted into the container."
    )
    user: User = None
    group: Group = None
    read_only_root: ReadOnlyRoot = False
    pull: Pull = None
    limits: LimitsField = None
    gpu: Gpu = Field(default_factory=dict)
    place: PlaceField = None
    labels: Labels = Field(default_factory=dict)
    annotations: Annotations = Field(default_factory=dict)
    stop: Stop = None
    stop_signal: StopSignalField = None
    files: list[File] = Field(
        default_factory=list, max_length=MAX_FILES, description="Files that are mounted into the container."
    )

    @property
    def contents(self) -> list[str]:
        """The texts of its files."""
        return [file.content for file in self.files if file.content is not None]

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        """Refuse what 0.1.0 refused; what was added later is a matter of `validation`."""
        for rule in SERVICE_RULES:
            if not rule.is_added_later:
                for breach in rule.breaches(self):
                    raise ValueError(f"{breach.path}: {rule.message}")
        return self


class Task(ApiModel):
    """A program that runs when it is asked to or on a schedule, once per run, until it ends."""

    name: TaskName = Field(description="Name of the task.")
    image: Image = Field(description="Container image with a tag or digest.")
    cpu: Quantity = Field(
        "250m",
        description="CPU cores that a run requests, and is limited to unless there are limits; 0.25 is a quarter of "
        "one.",
    )
    memory: Quantity = Field(
        "256M",
        description="Memory in bytes that a run requests, and is limited to unless there are limits, such as 512M.",
    )
    timeout: Duration = Field(
        "1h", description="Time after which a run is stopped, such as 30m. With 0s there is no limit."
    )
    schedule: ScheduleField = None
    timezone: TimeZoneField = None
    overlap: OverlapField = False
    deadline: DeadlineField = None
    command: Command | None = Field(None, description=COMMAND_DESCRIPTION)
    args: Command | None = Field(None, description=ARGS_DESCRIPTION)
    env: Env = Field(
        default_factory=dict, description="Environment variables, with the same references as a service's."
    )
    before: list[OtherService] = Field(
        default_factory=list,
        json_schema_extra={"maxItems": MAX_AFTER, "x-kubernetes-list-type": "set"},
        description="Names of services whose new version begins when a run of the task has succeeded: once for each "
        "version of the task and of these services.",
    )
    after: list[OtherService] = Field(
        default_factory=list,
        json_schema_extra={"maxItems": MAX_AFTER, "x-kubernetes-list-type": "set"},
        description="Names of services after whose success in a new version a run of the task starts, once for each "
        "version.",
    )
    user: User = None
    group: Group = None
    read_only_root: ReadOnlyRoot = False
    pull: Pull = None
    limits: LimitsField = None
    gpu: Gpu = Field(default_factory=dict)
    place: PlaceField = None
    labels: Labels = Field(default_factory=dict)
    annotations: Annotations = Field(default_factory=dict)
    stop: Stop = None
    stop_signal: StopSignalField = None
    files: list[File] = Field(
        default_factory=list, max_length=MAX_FILES, description="Files that are mounted into the container."
    )


class MillDeploymentSpec(ApiModel):
    """The services and tasks of one `.mill` file. One that is removed from its list is removed from the cluster."""

    services: list[Service] = Field(
        default_factory=list, max_length=MAX_SERVICES, description="Services, in the order of the file."
    )
    tasks: list[Task] = Field(
        default_factory=list,
        max_length=MAX_TASKS,
        description="Tasks of which runs can be started, in the order of the file.",
    )

    def to_wire(self) -> dict[str, object]:
        """Return the spec as plain JSON: camelCase, without fields that have their default.

        The API server fills them in, and `kubectl describe` shows no empty lists.
        """
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)

    def to_resource(self, metadata: Mapping[str, str]) -> dict[str, object]:
        """Return the MillDeployment with this spec as plain JSON."""
        return {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": dict(metadata),
            "spec": self.to_wire(),
        }
