"""What is asked for: the `spec` of a MillDeployment.

These models are the single source of the API: the CRD is generated from them (`crd`), the `.mill` language
produces them (`language`), and the operator reads them. A field's description is what `kubectl explain` shows.

Quantities are canonical Kubernetes quantities: a `.mill` file's `512M` and `1m` mean megabytes, and are converted
when the file is read, since `1m` of memory would be a thousandth of a byte here.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from mill_api import names
from mill_api.constraints import (
    FAILURE_THRESHOLD,
    MAX_COMMAND,
    MAX_ENV,
    MAX_ROUTES,
    MAX_SERVICES,
    MAX_TASKS,
    MAX_TEXT,
    MAX_VOLUMES,
    PORT,
    REPLICAS,
    SERVICE_RULES,
    TEXT_RULES,
)


class ApiModel(BaseModel):
    """A part of the resource: camelCase on the wire, unknown fields ignored as an older operator must."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")


def _number_to_text(value: object) -> object:
    """Accept `cpu: 2` and `memory: 256000000` in YAML, as Kubernetes does."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


TEXT_RULE = "x-mill-text-rule"
"""Where a field's schema names its row in `constraints.TEXT_RULES`, for the CRD."""


def _text(name: str) -> Any:
    """Return the constraints of one kind of text, as pydantic takes them."""
    rule = TEXT_RULES[name]
    return Field(
        min_length=rule.min_length,
        max_length=rule.max_length,
        pattern=rule.pattern,
        json_schema_extra={TEXT_RULE: name},
    )


QUANTITY = r"^([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"

Quantity = Annotated[
    str,
    Field(max_length=32, pattern=QUANTITY, json_schema_extra={"x-kubernetes-int-or-string": True}),
    BeforeValidator(_number_to_text),
]
"""A non-negative Kubernetes quantity: `500m`, `0.5`, `256M`, `1Gi`."""

Duration = Annotated[str, _text("duration")]
"""A duration in Go's notation: `10s`, `1h30m`."""

Image = Annotated[str, _text("image")]
EnvValue = Annotated[str, Field(max_length=MAX_TEXT)]
Env = Annotated[dict[str, EnvValue], Field(max_length=MAX_ENV)]
Command = Annotated[list[Annotated[str, Field(max_length=MAX_TEXT)]], Field(max_length=MAX_COMMAND)]
ServiceName = Annotated[str, _text("service_name")]
TaskName = Annotated[str, _text("task_name")]
VolumeName = Annotated[str, _text("volume_name")]
HostName = Annotated[str, _text("host_name")]
AbsolutePath = Annotated[str, _text("path")]
HealthPath = Annotated[str, _text("health_path")]


class Health(ApiModel):
    """An HTTP health check: a GET on the service's port; any 2xx or 3xx answer passes."""

    path: HealthPath = Field(description="Path that is asked for. Starts with '/'.")
    interval: Duration = Field("10s", description="Time between two checks, such as 10s or 1m30s.")
    failure_threshold: int = Field(
        3,
        ge=FAILURE_THRESHOLD.least,
        le=FAILURE_THRESHOLD.most,
        description="How many failed checks in a row make a running replica unready.",
    )


class Route(ApiModel):
    """A host name and path under which the service is reached from outside. Becomes an Ingress."""

    host: HostName = Field(description="Host name, such as www.example.com.")
    path: AbsolutePath = Field("/", description="Path prefix. Starts with '/'.")
    websocket: bool = Field(default=False, description="Whether connections may be upgraded to WebSockets.")


class Volume(ApiModel):
    """A file system that is mounted into the service's container."""

    name: VolumeName = Field(description="Name of the volume and of its claim.")
    path: AbsolutePath = Field(description="Where it is mounted. Starts with '/'.")
    size: Quantity | None = Field(
        None, description="Size of a persistent volume. It may grow later, and cannot shrink."
    )
    ephemeral: bool = Field(
        default=False, description="Whether the data may be lost with the pod. A persistent volume allows one replica."
    )


class Service(ApiModel):
    """A long-running program: as many equal replicas as asked for, kept running, reached by its name."""

    name: ServiceName = Field(description="Name of the service.")
    image: Image = Field(description="Container image, with a tag or digest.")
    port: int | None = Field(
        None,
        ge=PORT.least,
        le=PORT.most,
        description="TCP port that the program listens on; also in its environment as PORT. Without one the service "
        "has no address and counts as healthy after running for two seconds.",
    )
    replicas: int | None = Field(
        None,
        ge=REPLICAS.least,
        le=REPLICAS.most,
        description="How many run. If left out, one at first, and then what an autoscaler says.",
    )
    cpu: Quantity = Field("250m", description="CPU of each replica, request and limit: 0.5 is half a core.")
    memory: Quantity = Field("256M", description="Memory of each replica, request and limit.")
    command: Command | None = Field(None, description="Replaces the image's entry point and arguments.")
    env: Env = Field(
        default_factory=dict,
        description="Environment. ${secret(NAME)} and ${service.NAME.address} are replaced, $${ is a literal ${.",
    )
    health: Health | None = Field(
        None, description="HTTP health check. Without one, a service is healthy when its port takes connections."
    )
    routes: list[Route] = Field(default_factory=list, max_length=MAX_ROUTES, description="Host names that lead here.")
    volumes: list[Volume] = Field(default_factory=list, max_length=MAX_VOLUMES, description="Mounted file systems.")

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        """Refuse what 0.1.0 refused; what was added later is a matter of `validation`."""
        for rule in SERVICE_RULES:
            if not rule.is_added_later:
                for breach in rule.breaches(self):
                    raise ValueError(f"{breach.path}: {rule.message}")
        return self


class Task(ApiModel):
    """A program that runs to its end when someone spawns it."""

    name: TaskName = Field(description="Name of the task.")
    image: Image = Field(description="Container image, with a tag or digest.")
    cpu: Quantity = Field("250m", description="CPU, request and limit.")
    memory: Quantity = Field("256M", description="Memory, request and limit.")
    timeout: Duration = Field("1h", description="How long a run may take before it is ended.")
    command: Command | None = Field(None, description="Replaces the image's entry point and arguments.")
    env: Env = Field(default_factory=dict, description="Environment, as a service's.")


class MillDeploymentSpec(ApiModel):
    """The services and tasks of one `.mill` file. What leaves this list leaves the cluster."""

    services: list[Service] = Field(
        default_factory=list, max_length=MAX_SERVICES, description="The services, in the order of the file."
    )
    tasks: list[Task] = Field(
        default_factory=list, max_length=MAX_TASKS, description="Tasks that can be spawned, in the order of the file."
    )

    def to_wire(self) -> dict[str, object]:
        """Return the spec as plain JSON: camelCase, and as short as somebody would write it.

        What is as it is anyway is left out: the API server fills it in, and `kubectl describe` shows no empty lists.
        """
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)

    def to_resource(self, metadata: Mapping[str, str]) -> dict[str, object]:
        """Return the MillDeployment of this spec as plain JSON."""
        return {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": dict(metadata),
            "spec": self.to_wire(),
        }
