"""The OpenAPI document: what is the same for all routes is said once, here."""

from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field

TITLE: Final = "Mill on Kubernetes"
DESCRIPTION: Final = """\
Short `.mill` files, deployed on Kubernetes; every service judged by itself.

`?namespace=` says where; unset, it is the gateway's own. Streams are server-sent events: each has an `id`, which a
client that was cut off sends back as `Last-Event-ID`, to any gateway. Errors are JSON: `error` is a message for
people, `code` a stable code for programs, `request` the id of the request in the gateway's log.
"""
TAGS: Final = {
    "health": "For those who keep the process running; without a token.",
    "status": "Everything counted.",
    "nodes": "The machines.",
    "deploy": "A file in, a rollout's events out.",
    "restart": "New pods for a service.",
    "deployments": "What is deployed, and what becomes of it.",
    "services": "Services and their replicas.",
    "tasks": "Programs that run to their end.",
    "logs": "What programs write.",
    "secrets": "The values that `${secret(…)}` stands for.",
    "volumes": "Data that outlives services.",
    "metrics": "Figures for Prometheus.",
}
ERRORS: Final = {
    400: "A parameter, a file or JSON that cannot be read; `error` says all that is wrong.",
    401: "No token, or a wrong one.",
    403: "Whoever sent it may not do this.",
    404: "There is no such thing.",
    408: "The body did not come to its end in time.",
    409: "Not as things are now.",
    410: "What this is about is gone.",
    413: "More than there may be; `error` names the setting that limits a body.",
    415: "The body is not called JSON.",
    422: "JSON of the wrong shape, or what the API server finds invalid, in its words.",
    429: "More at once than there may be, by a limit of the gateway that is named; or the API server asks to wait.",
    431: "The request's line and headers are too large.",
    500: "It failed; for a run: why it could not begin.",
    502: "The API server gave an answer that makes no sense here.",
    503: "The API server is away, the gateway has only just started, too many connections are open, or no node has "
    "room.",
}
EVERYWHERE: Final = (400, 401, 403, 404, 408, 413, 422, 429, 431, 500, 502, 503)
"""What any route may answer."""
PUBLIC: Final = ("/healthz", "/readyz")
NOT_PUBLIC: Final = ("401", "403", "404", "422", "429", "502")
"""What those do not answer, which ask neither who calls nor the cluster."""
REQUEST_ID: Final = {
    "description": "The caller's own id for the request, or a new one. The gateway's log has it as well.",
    "required": True,
    "schema": {"type": "string"},
    "example": "7707679e566ef2f9",
}


class Failure(BaseModel):
    """Why a request was refused."""

    model_config = ConfigDict(extra="allow")

    error: str = Field(description="Message for people.", examples=["service not found"])
    code: str = Field(description="Stable code for programs; docs/api.md lists all.", examples=["service_not_found"])
    request: str | None = Field(description="Id of the request, which the gateway logs.", examples=["7707679e566ef2f9"])
    request_id: str | None = Field(
        description="The same as `request`, for clients of earlier versions.",
        examples=["7707679e566ef2f9"],
        deprecated=True,
    )


EVENT: Final = {
    "type": "object",
    "description": "Each event of the stream.",
    "properties": {"event": {"type": "string"}, "data": {"type": "string"}, "id": {"type": "string"}},
}

Responses = dict[int | str, dict[str, Any]]


def failures(*statuses: int) -> Responses:
    """Return the documentation of errors."""
    return {status: {"model": Failure, "description": ERRORS[status]} for status in statuses}


def events(example: str) -> Responses:
    """Return the documentation of a stream."""
    content = {"text/event-stream": {"schema": EVENT, "example": example}}
    return {200: {"description": "Server-sent events.", "content": content}}


ROLLOUT: Final = events(
    """\
event: progress
data: {"service": "web", "phase": "scheduled", "node": "node-1"}
id: 0a1b2c3d.4.1

event: progress
data: {"service": "web", "phase": "healthy"}
id: 0a1b2c3d.4.2

event: failed
data: {"service": "broken", "reason": "image pull failed: tag not found"}
id: 0a1b2c3d.4.3

event: done
data: {"elapsed": 1.3, "success": false}
id: 0a1b2c3d.4.end
"""
)


MODEL: Final = "x-mill-model"
"""Where the schema of a request's body has the name under which the document lists it."""


def json_request(model: type[BaseModel]) -> dict[str, Any]:
    """Return the documentation of a JSON body that a route reads itself."""
    schema = {**model.model_json_schema(), MODEL: model.__name__}
    return {"requestBody": {"content": {"application/json": {"schema": schema}}, "required": True}}


def _list_models(document: dict[str, Any], operation: dict[str, Any]) -> None:
    """Move the schemas of bodies to where all schemas are."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if (name := content["schema"].get(MODEL)) is not None:
            listed = {key: value for key, value in content["schema"].items() if key != MODEL}
            document["components"]["schemas"][name] = listed
            content["schema"] = {"$ref": f"#/components/schemas/{name}"}


def _complete(operation: dict[str, Any], *, public: bool) -> None:
    """Say what is so for every operation: its answers have the request's id, and no parameter can be null."""
    if public:
        operation["security"] = []
        for status in NOT_PUBLIC:
            operation["responses"].pop(status, None)
    for answer in operation["responses"].values():
        answer.setdefault("headers", {})["X-Request-Id"] = {"$ref": "#/components/headers/RequestId"}
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
        if len(choices) == 1:  # left out rather than null
            del schema["anyOf"]
            schema |= choices[0]


def describe(app: FastAPI) -> None:
    """Have `app` describe itself, with the ways to send a token."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=TITLE,
                version=version("mill-kubernetes"),
                description=DESCRIPTION,
                routes=app.routes,
                tags=[{"name": name, "description": text} for name, text in TAGS.items()],
            )
            made["components"]["securitySchemes"] = {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Mill-Token",
                    "description": "The same token, where a proxy strips `Authorization`.",
                },
            }
            made["security"] = [{"bearer": []}, {"header": []}]
            made["components"]["headers"] = {"RequestId": REQUEST_ID}
            for path, operations in made["paths"].items():
                for operation in operations.values():
                    _list_models(made, operation)
                    _complete(operation, public=path in PUBLIC)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign] # as FastAPI documents it
