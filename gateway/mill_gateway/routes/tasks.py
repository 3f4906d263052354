"""`/v1/tasks`: runs of tasks: spawned, listed, ended."""

import re
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from mill_api import names
from mill_api.constraints import MAX_COMMAND, MAX_ENV, MAX_TEXT
from mill_gateway.access import CurrentCaller
from mill_gateway.core.runs import RunView, runs
from mill_gateway.core.spawning import CPU, MEMORY, NO_ROOM, BadWish, Wish
from mill_gateway.exceptions import (
    InsufficientResources,
    InvalidRun,
    NotARun,
    RunNotFound,
    RunNotStarted,
    TaskNotFound,
)
from mill_gateway.gateway import Gateway, ReadyGateway
from mill_gateway.objects.pods import Program
from mill_gateway.openapi import failures, json_request
from mill_gateway.routes.bodies import at_most, json_body
from mill_gateway.routes.parameters import InNamespace, OfDeployment, Target, Text
from mill_gateway.services.runs import await_beginning, spawn_image, spawn_task, take_back
from mill_kube.client import Conflict, NotFound
from mill_kube.resources import CRON_JOBS, JOBS, MILL_DEPLOYMENTS
from mill_objects.key import Key

router = APIRouter(tags=["tasks"])

Value = Annotated[Text, Field(max_length=MAX_TEXT)]
RunId = Annotated[str, Path(alias="id", description="Id of the run.", examples=["migrate-1a2b3c40"])]


class Spawn(BaseModel):
    """A run that is asked for: of a task of the file, or of any image."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"task": "migrate", "env": {"STEPS": "3"}}]})

    task: str | None = Field(
        None, validation_alias=AliasChoices("task", "template"), description="Name of the task; `template` is the same."
    )
    image: Text | None = Field(None, description="Instead of a task: an image.")
    cpu: float | None = Field(CPU, strict=True, description="Cores; with an image only.")
    memory: str | None = Field(MEMORY, max_length=64, description="Memory, as in a file; with an image only.")
    env: Annotated[dict[Text, Value], at_most(MAX_ENV)] = Field(
        default_factory=dict, max_length=MAX_ENV, description="Environment, in addition to the task's."
    )
    timeout: str | None = Field(None, max_length=64, description="When it is ended, as in a file: `30m`.")
    command: list[Value] | None = Field(
        None, max_length=MAX_COMMAND, description="Replaces the image's entry point and arguments; with an image only."
    )

    @model_validator(mode="before")
    @classmethod
    def _one_name(cls, given: object) -> object:
        if isinstance(given, dict) and "task" in given and "template" in given:
            raise ValueError("duplicate field `task`")
        return given

    def wish(self) -> Wish:
        """Return what is asked for besides the task."""
        return Wish(
            image=self.image,
            cpu=CPU if self.cpu is None else self.cpu,
            memory=MEMORY if self.memory is None else self.memory,
            env=self.env,
            timeout=self.timeout,
            command=None if self.command is None else tuple(self.command),
        )


class Spawned(BaseModel):
    """A run that has begun."""

    id: str = Field(examples=["migrate-1a2b3c40"])
    node: str = Field(examples=["node-1"])
    status: str = Field(description="`running`; `pulling` or `starting` if that took longer than a minute.")
    address: str | None = Field(None, description="Always null: a task has no port.")
    name: str = Field(description="Name of the task.")


@router.get("/v1/tasks", summary="List runs of tasks")
async def list_tasks(
    gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, name: OfDeployment = None
) -> list[RunView]:
    """Return the runs of a namespace, those that have ended in the last day included."""
    await gateway.access.require(caller, "list", JOBS, namespace)
    return _runs(gateway, namespace, name)


@router.get("/v1/tasks/{id}", summary="Show a run of a task")
async def get_task(gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, run: RunId) -> RunView:
    """Return a run."""
    await gateway.access.require(caller, "get", JOBS, namespace, run)
    for each in _runs(gateway, namespace):
        if each.id == run:
            return each
    raise RunNotFound


@router.post(
    "/v1/tasks/spawn",
    summary="Spawn a run of a task",
    responses=failures(409, 415),
    openapi_extra=json_request(Spawn),
)
async def spawn(gateway: ReadyGateway, caller: CurrentCaller, target: Target, request: Request) -> Spawned:
    """Make a run, and answer when it has begun.

    What cannot begin is an error in the operator's words, and will not begin later. The client may leave it.
    """
    require = partial(gateway.access.require, caller)
    await require("create", JOBS, target.namespace)
    wanted = await json_body(request, Spawn)
    if (wanted.task is None) == (wanted.image is None):
        raise InvalidRun("must specify exactly one of 'task' or 'image'")
    await require("create", JOBS, target.namespace)  # once more: the caller decides how long a body takes
    try:
        if wanted.task is not None:
            if not re.fullmatch(names.TASK_NAME, wanted.task):
                raise TaskNotFound
            await require("get", CRON_JOBS, target.namespace, wanted.task)
            job = await spawn_task(gateway, target.namespace, wanted.task, wanted.wish())
        else:
            job = await spawn_image(
                gateway, target, wanted.wish(), may_create=lambda: require("create", MILL_DEPLOYMENTS, *target)
            )
    except BadWish as error:
        raise InvalidRun(str(error)) from None
    begun = await await_beginning(gateway, job)
    if begun.failure is not None:
        await take_back(gateway, job)
        if begun.no_room:
            raise InsufficientResources(NO_ROOM, detail=begun.failure, reason=begun.code, id=job.key.name)
        raise RunNotStarted(begun.failure, reason=begun.code, id=job.key.name)
    return Spawned(id=job.key.name, node=begun.node, status=begun.status, name=job.task)


@router.delete("/v1/tasks/{id}", summary="End a run of a task", status_code=204)
async def kill(gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, run: RunId) -> None:
    """Tell a run's program to end (SIGTERM, and SIGKILL ten seconds later). One that has ended stays as it is."""
    await gateway.access.require(caller, "delete", JOBS, namespace, run)
    key = Key(namespace, run)
    job = gateway.stores.jobs.get(key)
    if job is None:
        pod = gateway.stores.pods.get(key)
        if pod is not None and pod.program.kind == "service":
            raise NotARun
        if not any(each.id == run for each in _runs(gateway, namespace)):
            raise RunNotFound
        return
    if job.outcome is not None or job.leaving:
        return
    try:
        await gateway.client.delete(JOBS, *key, uid=job.uid)
    except (NotFound, Conflict):
        return  # it has ended, and is gone


def _runs(gateway: Gateway, namespace: str, deployment: str | None = None) -> list[RunView]:
    stores = gateway.stores
    found = stores.deployments.in_group(namespace)
    deployments = [each for each in found if deployment in (None, each.key.name)]
    jobs = [each for each in stores.jobs.in_group(namespace) if deployment in (None, each.deployment)]
    tasks = {each.task for each in jobs} | {task.name for each in deployments for task in each.status.tasks}
    pods = [pod for task in tasks for pod in stores.pods.in_group(Program(namespace, "task", task))]
    newest = {pod.run: pod for pod in sorted(pods, key=lambda each: each.created_at) if pod.run is not None}
    return runs(jobs, deployments, newest)
