"""The OpenAPI document: the parts that all routes share."""

from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field

TITLE: Final = "Mill on Kubernetes"
DESCRIPTION: Final = """\
Deploy short `.mill` files on Kubernetes, follow their rollouts, and manage tasks, logs, secrets, volumes and nodes.

`?namespace=` selects the namespace; the default is the gateway's default namespace. Streams are server-sent events.
Each event has an `id`: a client resumes an interrupted stream with it as `Last-Event-ID`, at any gateway replica.
Errors are JSON: `error` is a message for people, `code` a stable code for programs, `request` the id of the request in
the gateway's log.
"""
TAGS: Final = {
    "health": "Liveness and readiness probes; without a token.",
    "status": "Summary of the cluster.",
    "nodes": "Nodes of the cluster.",
    "deploy": "Deploy a file, and follow the rollout.",
    "restart": "Replace the pods of a service.",
    "deployments": "MillDeployments and their rollouts.",
    "revisions": "What was deployed, and the way back to it.",
    "services": "Services and their replicas.",
    "tasks": "Runs of tasks.",
    "logs": "Logs of services, tasks and runs.",
    "secrets": "Values of `${secret(…)}`.",
    "registries": "Credentials of registries.",
    "volumes": "Volumes of services.",
    "metrics": "Metrics for Prometheus.",
}
ERRORS: Final = {
    400: "A parameter, a file or JSON is invalid; `error` lists all problems.",
    401: "The token is missing or wrong.",
    403: "The caller has no right to do this.",
    404: "Not found.",
    408: "The body was not complete in time.",
    409: "Conflict with the current state.",
    410: "The rollout is no longer in the history, or the deployment was deleted.",
    413: "The body or the secrets are too large; `error` names the limit.",
    415: "Unsupported content type.",
    422: "JSON has the wrong shape, or the API server finds the object invalid.",
    429: "A limit of the gateway, which `error` names, or of the API server is reached.",
    431: "The request line and the headers are too large.",
    500: "Internal error, or a run did not start.",
    502: "The API server refused a request of the gateway.",
    503: "The API server does not answer, the gateway is starting, too many connections are open, or no node has room.",
}
EVERYWHERE: Final = (400, 401, 403, 404, 408, 413, 422, 429, 431, 500, 502, 503)
"""Statuses of any route, except those below."""
OF_BODIES: Final = ("408", "413", "422")
"""Statuses only of routes with a request body."""
PUBLIC: Final = ("/healthz", "/readyz")
NOT_PUBLIC: Final = ("401", "403", "404", "422", "429", "502")
"""Statuses that public routes never have: they check no caller and read no object of the cluster."""
REQUEST_ID: Final = {
    "description": "Id of the request in the gateway's log: the caller's, or a new one.",
    "required": True,
    "schema": {"type": "string"},
    "example": "7707679e566ef2f9",
}


class Failure(BaseModel):
    """Error of a request."""

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
    "description": "One event of the stream.",
    "properties": {"event": {"type": "string"}, "data": {"type": "string"}, "id": {"type": "string"}},
}

Responses = dict[int | str, dict[str, Any]]


def failures(*statuses: int) -> Responses:
    """Return the OpenAPI responses for statuses of errors."""
    return {status: {"model": Failure, "description": ERRORS[status]} for status in statuses}


def events(example: str) -> Responses:
    """Return the OpenAPI response of a stream."""
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
"""Key of a body's schema for the name under which the document lists the schema."""


def json_request(model: type[BaseModel]) -> dict[str, Any]:
    """Return the OpenAPI description of a JSON body that the route reads itself."""
    schema = {**model.model_json_schema(ref_template="#/components/schemas/{model}"), MODEL: model.__name__}
    return {"requestBody": {"content": {"application/json": {"schema": schema}}, "required": True}}


def _list_models(document: dict[str, Any], operation: dict[str, Any]) -> None:
    """Move the schemas of bodies, and those of their parts, to the components of the document."""
    schemas = document["components"]["schemas"]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if (name := content["schema"].get(MODEL)) is not None:
            listed = {key: value for key, value in content["schema"].items() if key != MODEL}
            schemas.update(listed.pop("$defs", {}))
            schemas[name] = listed
            content["schema"] = {"$ref": f"#/components/schemas/{name}"}


def _complete(method: str, operation: dict[str, Any], *, public: bool) -> None:
    """Add the header with the request's id, and remove impossible statuses and null as a value of parameters."""
    if public:
        operation["security"] = []
        for status in NOT_PUBLIC:
            operation["responses"].pop(status, None)
    if method == "get":
        for status in OF_BODIES:
            operation["responses"].pop(status, None)
    for answer in operation["responses"].values():
        answer.setdefault("headers", {})["X-Request-Id"] = {"$ref": "#/components/headers/RequestId"}
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
        if len(choices) == 1:  # a parameter is omitted, never null
            del schema["anyOf"]
            schema |= choices[0]


def describe(app: FastAPI) -> None:
    """Set the OpenAPI document of `app`, with the two ways to send a token."""

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
                    "description": "The same token, for use behind a proxy that removes `Authorization`.",
                },
            }
            made["security"] = [{"bearer": []}, {"header": []}]
            made["components"]["headers"] = {"RequestId": REQUEST_ID}
            for path, operations in made["paths"].items():
                for method, operation in operations.items():
                    _list_models(made, operation)
                    _complete(method, operation, public=path in PUBLIC)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign] # as FastAPI documents it
