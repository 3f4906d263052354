"""What is asked for: the `spec` of a MillDeployment.

These models are the single source of the API: the CRD is generated from them (`crd`), the `.mill` language
produces them (`language`), and the operator reads them. A field's description is what `kubectl explain` shows.

Quantities are canonical Kubernetes quantities: a `.mill` file's `512M` and `1m` mean megabytes, and are converted
when the file is read, since `1m` of memory would be a thousandth of a byte here.
"""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator
from pydantic.alias_generators import to_camel

from mill_api import names

MAX_SERVICES = 200
MAX_TASKS = 200
MAX_ENV = 500
MAX_COMMAND = 200
MAX_TEXT = 32768
"""Characters of an environment variable's value, and of a part of a command."""


class ApiModel(BaseModel):
    """A part of the resource: camelCase on the wire, unknown fields ignored as an older operator must."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")


def _number_to_text(value: object) -> object:
    """Accept `cpu: 2` and `memory: 256000000` in YAML, as Kubernetes does."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


REFUSAL = "x-mill-refusal"
"""Where a field's schema says how a text that does not match is refused; the CRD has it as a rule."""


DURATION = "x-mill-duration"
"""Marks a field's schema as a duration, whose length the CRD limits by a rule."""


def _says(refusal: str) -> dict[str, JsonValue]:
    return {REFUSAL: refusal}


QUANTITY = r"^([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"

Quantity = Annotated[
    str,
    Field(max_length=32, pattern=QUANTITY, json_schema_extra={"x-kubernetes-int-or-string": True}),
    BeforeValidator(_number_to_text),
]
"""A non-negative Kubernetes quantity: `500m`, `0.5`, `256M`, `1Gi`."""

Duration = Annotated[
    str,
    Field(
        max_length=32,
        pattern=r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$",
        json_schema_extra={**_says(names.NO_DURATION), DURATION: True},
    ),
]
"""A duration in Go's notation: `10s`, `1h30m`."""

Image = Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^\S+$", json_schema_extra=_says(names.NO_IMAGE))]
EnvValue = Annotated[str, Field(max_length=MAX_TEXT)]
Env = Annotated[dict[str, EnvValue], Field(max_length=MAX_ENV)]
Command = Annotated[list[Annotated[str, Field(max_length=MAX_TEXT)]], Field(max_length=MAX_COMMAND)]
ServiceName = Annotated[
    str, Field(pattern=names.SERVICE_NAME, max_length=63, json_schema_extra=_says(names.NO_SERVICE_NAME))
]
TaskName = Annotated[str, Field(pattern=names.TASK_NAME, max_length=52, json_schema_extra=_says(names.NO_TASK_NAME))]
VolumeName = Annotated[
    str, Field(pattern=names.VOLUME_NAME, max_length=63, json_schema_extra=_says(names.NO_VOLUME_NAME))
]
HostName = Annotated[str, Field(pattern=names.HOST_NAME, max_length=253)]
"""Refused by its pattern alone: a rule on so many texts of that length exceeds the API server's budget."""
AbsolutePath = Annotated[
    str, Field(min_length=1, max_length=1024, pattern="^/", json_schema_extra=_says(names.NO_PATH))
]
HealthPath = Annotated[
    str, Field(min_length=1, max_length=1024, pattern="^/", json_schema_extra=_says(names.NO_HEALTH_PATH))
]


class Health(ApiModel):
    """An HTTP health check: a GET on the service's port; any 2xx or 3xx answer passes."""

    path: HealthPath = Field(description="Path that is asked for. Starts with '/'.")
    interval: Duration = Field("10s", description="Time between two checks, such as 10s or 1m30s.")
    failure_threshold: int = Field(
        3, ge=1, le=1000, description="How many failed checks in a row make a running replica unready."
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
        ge=1,
        le=65535,
        description="TCP port that the program listens on; also in its environment as PORT. Without one the service "
        "has no address and counts as healthy after running for two seconds.",
    )
    replicas: int | None = Field(
        None, ge=0, le=1000, description="How many run. If left out, one at first, and then what an autoscaler says."
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
    routes: list[Route] = Field(default_factory=list, max_length=50, description="Host names that lead here.")
    volumes: list[Volume] = Field(default_factory=list, max_length=20, description="Mounted file systems.")

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        """Rules that cross the fields of one service; the CRD has the same as CEL (`crd.SERVICE_RULES`)."""
        if self.port is None and self.health is not None:
            raise ValueError("a health check needs a port")
        if self.port is None and self.routes:
            raise ValueError("a route needs a port")
        for volume in self.volumes:
            if not volume.ephemeral and volume.size is None:
                raise ValueError(f"volume {volume.name}: persistent volume must have a size")
        if any(not volume.ephemeral for volume in self.volumes) and (self.replicas or 0) > 1:
            raise ValueError("a persistent volume allows one replica")
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
