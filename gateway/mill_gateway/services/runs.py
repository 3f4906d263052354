"""Spawning a run: its Job is made, and its beginning is waited for, woken by the watches."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Final

from mill_api.owner import Owner
from mill_api.spec import MillDeploymentSpec
from mill_gateway.core.runs import told_runs
from mill_gateway.core.spawning import (
    Beginning,
    Wish,
    beginning,
    from_template,
    inline,
    owner_of,
    run_name,
    too_late,
)
from mill_gateway.exceptions import DeploymentTerminating, RunNotStarted, TaskNotFound
from mill_gateway.gateway import Gateway
from mill_gateway.objects.deployments import Deployment
from mill_gateway.objects.jobs import Job
from mill_gateway.objects.pods import Program
from mill_gateway.services.deployments import MANAGER, resource
from mill_kube.client import ApiError, Conflict, KubeError, NotFound
from mill_kube.resources import CRON_JOBS, JOBS, MILL_DEPLOYMENTS
from mill_objects.key import Key

WAIT_SECONDS: Final = 60.0
"""How long a beginning is waited for, as in the original."""
ROOM_SECONDS: Final = 10.0
"""How long a node that has room is waited for: one that is just being freed, not one that somebody has to buy."""


async def spawn_task(gateway: Gateway, namespace: str, task: str, wish: Wish) -> Job:
    """Make a run of a task of a MillDeployment.

    Raise `TaskNotFound` if there is none, `BadWish` if it cannot be as wished. Other CronJobs are never run: they may
    have rights, an account and access to their node that no program of a MillDeployment has.
    """
    missing = TaskNotFound()
    try:
        cron_job = await gateway.client.get(CRON_JOBS, namespace, task)
    except NotFound:
        raise missing from None
    owner = owner_of(cron_job)
    if owner is None or not await _there(gateway, owner):
        raise missing
    return await _create(gateway, from_template(cron_job, run_name(task, secrets.token_hex(4)), wish))


async def _there(gateway: Gateway, owner: Owner) -> bool:
    """Tell whether there is that very MillDeployment. Our watch may be behind: then it is read once."""
    found: Deployment | None = gateway.stores.deployments.get(owner.key)
    if found is None or found.uid != owner.uid:
        try:
            found = gateway.stores.deployments.put(await gateway.client.get(MILL_DEPLOYMENTS, *owner.key))
        except NotFound:
            return False
    return found.uid == owner.uid


async def spawn_image(
    gateway: Gateway, deployment: Key, wish: Wish, *, may_create: Callable[[], Awaitable[None]]
) -> Job:
    """Make a run of a program that no task describes. It belongs to a MillDeployment, which is made if need be.

    `may_create` asks for the right to make that one, and raises `AccessDenied`.
    """
    found: Deployment | None = gateway.stores.deployments.get(deployment)
    task = f"task-{secrets.token_hex(4)}"
    run = run_name(task, secrets.token_hex(2))
    options = gateway.settings
    made = inline(
        deployment,
        found.uid if found else "",
        task,
        run,
        wish,
        service_account=options.service_account,
        restricted=options.restricted,
    )
    if found is None:
        await may_create()
        found = await _empty(gateway, deployment)
        made["metadata"]["ownerReferences"][0]["uid"] = found.uid
    if "deletionTimestamp" in found.metadata:
        raise DeploymentTerminating(
            f"MillDeployment {deployment} is being deleted, with its runs; try again when it is gone"
        )
    return await _create(gateway, made)


async def _empty(gateway: Gateway, deployment: Key) -> Deployment:
    """Make a MillDeployment with nothing in it. One that somebody has made meanwhile is left as it is."""
    client = gateway.client
    try:
        body = resource(deployment, MillDeploymentSpec())
        made = await client.create(MILL_DEPLOYMENTS, deployment.namespace, body, manager=MANAGER)
    except Conflict:
        made = await client.get(MILL_DEPLOYMENTS, *deployment)
    return gateway.stores.deployments.put(made)


async def _create(gateway: Gateway, body: dict[str, object]) -> Job:
    namespace = body["metadata"]["namespace"]  # type: ignore[index]
    try:
        made = await gateway.client.create(JOBS, namespace, body, manager=MANAGER)
    except ApiError as error:
        if error.status in (403, 422):  # a quota, an admission policy: in the API server's words
            raise RunNotStarted(f"refused by the cluster: {error}", reason=error.reason) from error
        raise
    return gateway.stores.jobs.put(made)


async def await_beginning(gateway: Gateway, job: Job) -> Beginning:
    """Wait until a run has begun or will not begin; 60 s at most. The run goes on whoever waits."""
    stores, program = gateway.stores, Program(job.key.namespace, "task", job.task)
    deployment = Key(job.key.namespace, job.deployment)
    clock = asyncio.get_running_loop().time
    ends, room_ends = clock() + WAIT_SECONDS, clock() + ROOM_SECONDS
    with (
        stores.pods.subscriptions.subscribe(job.key) as changed,
        stores.deployments.subscriptions.subscribe(deployment, changed),
    ):
        while True:
            changed.clear()
            pods = [each for each in stores.pods.in_group(program) if each.run == job.key.name]
            found = stores.deployments.get(deployment)
            told = told_runs(found.status).get(job.key.name) if found else None
            now = beginning(pods, told)
            homeless = next((each.unschedulable for each in pods if each.unschedulable is not None), None)
            if now.settled:
                return now
            if clock() >= ends:
                return now if told else too_late(now, pods)
            if homeless is not None and clock() >= room_ends:
                return Beginning(failure=homeless, code="Unschedulable", no_room=True)
            try:
                async with asyncio.timeout_at(min(ends, room_ends) if homeless is not None else ends):
                    await changed.wait()
            except TimeoutError:
                continue


async def take_back(gateway: Gateway, job: Job) -> None:
    """Delete a run that could not begin, so that it does not begin later, when nobody expects it any more."""
    try:
        await gateway.client.delete(JOBS, *job.key, uid=job.uid)
    except KubeError:
        return  # it is gone, or ends by its own deadline
