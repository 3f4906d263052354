"""`/v1/tasks`: runs of tasks: starting, listing and stopping them."""

import re
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from mill_api import names
from mill_api.constraints import MAX_COMMAND, MAX_ENV, MAX_TEXT
from mill_gateway.access import CurrentCaller
from mill_gateway.core.runs import RunView
from mill_gateway.core.spawning import CPU, MEMORY, RunRequest
from mill_gateway.exceptions.runs import InvalidRun, TaskNotFound
from mill_gateway.gateway import ReadyGateway
from mill_gateway.openapi import failures, json_request
from mill_gateway.routes.bodies import at_most, json_body, parse_file
from mill_gateway.routes.parameters import InNamespace, System, Target, Text
from mill_gateway.routes.scope import ListScope
from mill_kube.resources import CRON_JOBS, JOBS, MILL_DEPLOYMENTS
from mill_objects.key import Key

router = APIRouter(tags=["tasks"])

Value = Annotated[Text, Field(max_length=MAX_TEXT)]
ONE_OF: Final = "must specify exactly one of 'task' or 'image'"
"""The original's error, which stays as it is; `file` and `service` are others of them."""
RunId = Annotated[str, Path(alias="id", description="Id of the run.", examples=["migrate-1a2b3c40"])]


class TaskOfFile(BaseModel):
    """A task of a file that need not be deployed."""

    task: Text = Field(max_length=MAX_TEXT, description="Name of the task.")
    text: Text = Field(description="The `.mill` file.")


class Spawn(BaseModel):
    """A request for a run: of a task of the deployed file or of another one, of a service, or of any image."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"task": "migrate", "env": {"STEPS": "3"}},
                {"image": "registry.example/tools:2", "command": ["report"]},
            ],
            "oneOf": [
                {"properties": {name: {"type": kind}}, "required": [name]}
                for name, kind in (("task", "string"), ("image", "string"), ("file", "object"), ("service", "string"))
            ],
        }
    )

    task: str | None = Field(
        None, validation_alias=AliasChoices("task", "template"), description="Name of the task; `template` is an alias."
    )
    image: Text | None = Field(None, description="Image to run instead of a task.")
    file: TaskOfFile | None = Field(
        None,
        description="Task of a file to run instead of a deployed one. The file is checked as for a deploy, and nothing "
        "else of it is applied.",
    )
    service: Text | None = Field(
        None,
        max_length=MAX_TEXT,
        description="Service whose image, environment, files, volumes and limits the run gets. It needs a `command`.",
    )
    cpu: float | None = Field(CPU, strict=True, description="CPU cores that an image requests.")
    memory: str | None = Field(
        MEMORY, max_length=64, description="Memory that an image requests, in the form of a file."
    )
    env: Annotated[dict[Text, Value], at_most(MAX_ENV)] = Field(
        default_factory=dict,
        max_length=MAX_ENV,
        description="Environment variables in addition to those of the task or service.",
    )
    timeout: str | None = Field(
        None, max_length=64, description="Time after which Mill stops the run, as in a file: `30m`."
    )
    command: list[Value] | None = Field(
        None,
        max_length=MAX_COMMAND,
        description="Command that replaces the entry point and arguments of an image or a service.",
    )

    wait: bool = Field(
        default=True,
        strict=True,
        description="Whether the answer waits for the start of the program. Without it, the gateway does not delete a "
        "run that cannot start.",
    )

    @model_validator(mode="before")
    @classmethod
    def _one_name(cls, given: object) -> object:
        if isinstance(given, dict) and "task" in given and "template" in given:
            raise ValueError("duplicate field `task`")
        return given

    def run_request(self) -> RunRequest:
        """Return the values besides the task."""
        return RunRequest(
            image=self.image,
            cpu=CPU if self.cpu is None else self.cpu,
            memory=MEMORY if self.memory is None else self.memory,
            env=self.env,
            timeout=self.timeout,
            command=None if self.command is None else tuple(self.command),
        )


class Spawned(BaseModel):
    """A run that has started."""

    id: str = Field(examples=["migrate-1a2b3c40"])
    node: str = Field(examples=["node-1"])
    status: str = Field(description="`running`, or `pulling` or `starting` after a minute or without `wait`.")
    address: str | None = Field(None, description="Always null: a task has no port.")
    name: str = Field(description="Name of the task.")


@router.get("/v1/tasks", summary="List runs of tasks")
async def list_tasks(gateway: ReadyGateway, caller: CurrentCaller, scope: ListScope) -> list[RunView]:
    """Return the runs of a namespace, including those that have ended in the last 24 hours."""
    namespaces = await scope.namespaces(gateway, caller, JOBS, gateway.stores.deployments)
    found = [each for namespace in namespaces for each in gateway.runs.find(namespace, scope.name)]
    if not found:
        await scope.require_existing(gateway)
    return found


@router.get("/v1/tasks/{id}", summary="Show a run of a task")
async def get_task(gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, run: RunId) -> RunView:
    """Return a run."""
    await gateway.access.require(caller, "get", JOBS, namespace, run)
    return gateway.runs.get(namespace, run)


@router.post(
    "/v1/tasks/spawn",
    summary="Spawn a run of a task",
    responses=failures(409, 415),
    openapi_extra=json_request(Spawn),
)
async def spawn(
    gateway: ReadyGateway, caller: CurrentCaller, target: Target, request: Request, *, system: System = False
) -> Spawned:
    """Create a run, and answer when its program has started.

    If it cannot start, the error has the operator's message, and the run is deleted. The run does not depend on the
    connection. With `wait: false` the answer comes at once.
    """
    require = partial(gateway.access.require, caller)
    await require("create", JOBS, target.namespace)
    wanted = await json_body(request, Spawn)
    if [wanted.task, wanted.image, wanted.file, wanted.service].count(None) != 3:
        raise InvalidRun(ONE_OF)
    await require("create", JOBS, target.namespace)  # again: the client decides how long a body takes
    if wanted.task is None and wanted.service is None:  # what is deployed there is there on purpose
        gateway.system_namespaces.require(target.namespace, meant=system)
    authorize_create = partial(require, "create", MILL_DEPLOYMENTS, *target)
    if wanted.task is not None:
        if not re.fullmatch(names.TASK_NAME, wanted.task):
            raise TaskNotFound(wanted.task, target.namespace)
        await require("get", CRON_JOBS, target.namespace, wanted.task)
        of = target.name if "name" in request.query_params else None  # else of any, as in the original
        run = wanted.run_request()
        job = await gateway.spawns.create_from_task(target.namespace, wanted.task, run, deployment=of)
    elif wanted.service is not None:
        await require("get", MILL_DEPLOYMENTS, *target)
        job = await gateway.spawns.create_from_service(target, wanted.service, wanted.run_request())
    elif wanted.file is not None:
        spec = await parse_file(wanted.file.text.encode())
        job = await gateway.spawns.create_from_file(
            target, spec, wanted.file.task, wanted.run_request(), authorize_create=authorize_create
        )
    else:
        job = await gateway.spawns.create_from_image(target, wanted.run_request(), authorize_create=authorize_create)
    if not wanted.wait:
        return Spawned(id=job.key.name, node="", status="starting", name=job.task)
    start = await gateway.spawns.wait_until_started(job)
    return Spawned(id=job.key.name, node=start.node, status=start.status, name=job.task)


@router.delete("/v1/tasks/{id}", summary="Stop a run of a task", status_code=204)
async def kill(gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, run: RunId) -> None:
    """Stop a run (SIGTERM, and SIGKILL ten seconds later). One that has ended stays as it is."""
    await gateway.access.require(caller, "delete", JOBS, namespace, run)
    await gateway.runs.stop(Key(namespace, run))
