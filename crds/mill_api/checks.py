"""The checks of a service: of its health, and whether its program is still alive."""

from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from mill_api.constraints import (
    DEFAULT_CHECK_TIMEOUT,
    DEFAULT_FAILURE_THRESHOLD,
    DEFAULT_INTERVAL,
    FAILURE_THRESHOLD,
    MAX_COMMAND,
    MAX_GRPC_SERVICE,
    MAX_HEADER_VALUE,
    MAX_HEADERS,
    MAX_TEXT,
)
from mill_api.fields import (
    INT_OR_STRING,
    ApiModel,
    CheckTimeout,
    Duration,
    HealthPath,
    StartTime,
    number_to_text,
)

CHECK_PORT: Final = r"^([0-9]{1,5}|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$"
"""A number, or a name as Kubernetes allows it for a port."""

CheckPort = Annotated[
    str,
    Field(max_length=15, pattern=CHECK_PORT, json_schema_extra={INT_OR_STRING: True}),
    BeforeValidator(number_to_text),
]
CheckCommand = Annotated[list[Annotated[str, Field(max_length=MAX_TEXT)]], Field(max_length=MAX_COMMAND)]
Headers = Annotated[dict[str, Annotated[str, Field(max_length=MAX_HEADER_VALUE)]], Field(max_length=MAX_HEADERS)]


class Check(ApiModel):
    """An HTTP request, a command, a gRPC request, or a connection to a port."""

    path: HealthPath | None = Field(
        None, description="Path of an HTTP GET request, which any 2xx or 3xx response passes. Starts with '/'."
    )
    command: CheckCommand | None = Field(
        None,
        description="Program with its arguments that is run in the container, which exit code 0 passes. References are "
        "not replaced in it; the program has the container's environment variables.",
    )
    grpc: str | None = Field(
        None,
        max_length=MAX_GRPC_SERVICE,
        description="Service that is asked for by the gRPC health protocol, which SERVING passes. An empty text asks "
        "for the whole server.",
    )
    port: CheckPort | None = Field(
        None,
        description="Port of the check: a number, or the name of a port block. If it is left out, the service's port.",
    )
    headers: Headers = Field(
        default_factory=dict, description="Headers of the HTTP request, such as Host. They are no secrets."
    )
    interval: Duration = Field(
        DEFAULT_INTERVAL, description="Time between two checks, such as 10s or 1m30s; of a command at least 5s."
    )
    timeout: CheckTimeout = Field(
        DEFAULT_CHECK_TIMEOUT, description="Time that a check may take; from 1s to 5m. Rounded up to whole seconds."
    )
    failure_threshold: int = Field(
        DEFAULT_FAILURE_THRESHOLD,
        ge=FAILURE_THRESHOLD.least,
        le=FAILURE_THRESHOLD.most,
        description="Number of consecutive failed checks after which a running replica is unready.",
    )


class Health(Check):
    """A health check: an HTTP request, a command, a gRPC request, or a connection to a port. Without it, a replica is
    ready once its port accepts connections. With `start` alone that is the check, and has that time."""

    start: StartTime | None = Field(
        None,
        description="Time that a replica may take from the start of its container until it is ready, such as 3m; more "
        "than 0s, at most 1h. If it is left out, as long as the failed checks that make a replica unready, at least "
        "30s.",
    )


class Live(Check):
    """A check of a container that runs, once it has started: an HTTP request, a command, a gRPC request, or a
    connection to a port. A container that fails it several times is restarted."""

    failure_threshold: int = Field(
        DEFAULT_FAILURE_THRESHOLD,
        ge=FAILURE_THRESHOLD.least,
        le=FAILURE_THRESHOLD.most,
        description="Number of consecutive failed checks after which a container is restarted.",
    )
