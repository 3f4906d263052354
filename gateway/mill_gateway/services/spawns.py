"""Starts of runs: of a task, an image, a file or a service. One waits for the program, notified by the stores."""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from typing import Final

from mill_api.endpoints import endpoint_of
from mill_api.names import GATEWAY_FIELD_MANAGER
from mill_api.owner import Owner
from mill_api.spec import MillDeploymentSpec
from mill_api.volumes import keeps_data
from mill_gateway.core.patches import new_resource, read_spec
from mill_gateway.core.runs import run_verdicts
from mill_gateway.core.service_runs import job_of_service, task_of_service
from mill_gateway.core.spawning import (
    NO_ROOM,
    InvalidRunRequest,
    RunRequest,
    RunStart,
    explain_timeout,
    job_from_template,
    job_of_file,
    job_of_image,
    not_in_file,
    owner_of,
    read_start,
    run_name,
)
from mill_gateway.exceptions.deployments import DeploymentTerminating, ServiceNotFound
from mill_gateway.exceptions.runs import (
    InsufficientResources,
    InvalidRun,
    RunNotStarted,
    TaskNotFound,
)
from mill_gateway.objects.deployments import Deployment
from mill_gateway.objects.jobs import Job
from mill_gateway.objects.pods import Program
from mill_gateway.settings import Settings
from mill_gateway.stores import Stores
from mill_kube.client import KubeClient
from mill_kube.errors import ApiError, Conflict, KubeError, NotFound
from mill_kube.resources import CRON_JOBS, JOBS, MILL_DEPLOYMENTS
from mill_objects.json import Json
from mill_objects.key import Key

WAIT_SECONDS: Final = 60.0
"""Time limit of a start, as in the original."""
ROOM_SECONDS: Final = 10.0
"""How long a run may wait for a node with room: long enough for one that is just becoming free, not for a new node."""


class Spawns:
    """The runs that the gateway starts."""

    def __init__(self, client: KubeClient, stores: Stores, settings: Settings) -> None:
        self._client = client
        self._stores = stores
        self._settings = settings

    async def create_from_task(
        self, namespace: str, task: str, request: RunRequest, *, deployment: str | None = None
    ) -> Job:
        """Create a run of a task of a MillDeployment: of any in the namespace, or only of `deployment`.

        Raise `TaskNotFound`, `InvalidRun` or `RunNotStarted`. Other CronJobs are never run: they may have rights, a
        service account and access to their node that no program of a MillDeployment has.
        """
        try:
            cron_job = await self._client.get(CRON_JOBS, namespace, task)
        except NotFound:
            raise TaskNotFound(task, namespace) from None
        owner = owner_of(cron_job)
        if owner is None or not await self._exists(owner):
            raise TaskNotFound(task, namespace)
        if deployment not in (None, owner.key.name):
            raise InvalidRun(f"task {task} belongs to MillDeployment {owner.key.name}, and not to {deployment}")
        try:
            body = job_from_template(cron_job, run_name(task, secrets.token_hex(4)), request)
        except InvalidRunRequest as error:
            raise InvalidRun(str(error)) from None
        return await self._create(namespace, body)

    async def create_from_image(
        self, deployment: Key, request: RunRequest, *, authorize_create: Callable[[], Awaitable[None]]
    ) -> Job:
        """Create a run of an image that no task describes. It belongs to a MillDeployment, created if there is none.

        `authorize_create` checks the right to create that one. Raise `InvalidRun`, `DeploymentTerminating` or
        `RunNotStarted`.
        """
        task = f"task-{secrets.token_hex(4)}"

        def make(owner: Owner) -> Json:
            return job_of_image(
                owner,
                task,
                run_name(task, secrets.token_hex(2)),
                request,
                options=self._settings.pod_options,
            )

        return await self._create_owned(deployment, make, authorize_create)

    async def create_from_file(
        self,
        deployment: Key,
        spec: MillDeploymentSpec,
        task: str,
        request: RunRequest,
        *,
        authorize_create: Callable[[], Awaitable[None]],
    ) -> Job:
        """Create a run of a task of a file, which need not be deployed. Nothing else of the file is applied.

        It belongs to a MillDeployment, as a run of an image does. Raise `TaskNotFound`, `InvalidRun`,
        `DeploymentTerminating` or `RunNotStarted`.
        """
        program = next((each for each in spec.tasks if each.name == task), None)
        if program is None:
            raise TaskNotFound(task, None, not_in_file(task, spec))

        def make(owner: Owner) -> Json:
            return job_of_file(
                owner,
                program,
                run_name(task, secrets.token_hex(4)),
                request,
                endpoints={each.name: endpoint_of(each) for each in spec.services},
                options=self._settings.pod_options,
            )

        return await self._create_owned(deployment, make, authorize_create)

    async def create_from_service(self, deployment: Key, name: str, request: RunRequest) -> Job:
        """Create a run of another program with what a service has: image, environment, files, volumes and limits.

        With a persistent volume it runs on the node of the service's pod, if there is one: no other node can mount it.
        Raise `ServiceNotFound`, `InvalidRun`, `DeploymentTerminating` or `RunNotStarted`.
        """
        found = self._stores.deployments.get(deployment)
        if found is None or not found.has_service(name):  # the store may be behind
            with contextlib.suppress(NotFound):
                found = self._stores.deployments.put(await self._client.get(MILL_DEPLOYMENTS, *deployment))
        spec = None if found is None else read_spec(found.spec)
        service = next((each for each in spec.services if each.name == name), None) if spec is not None else None
        if found is None or spec is None or service is None:
            raise ServiceNotFound(name, deployment.namespace)
        pods = self._stores.pods.in_group(Program(deployment.namespace, "service", name))
        has_node = any(each.node and not each.over and each.deployment == deployment.name for each in pods)
        try:
            body = job_of_service(
                Owner(deployment, found.uid),
                service,
                run_name(task_of_service(name), secrets.token_hex(4)),
                request,
                endpoints={each.name: endpoint_of(each) for each in spec.services},
                options=self._settings.pod_options,
                beside_replicas=has_node and keeps_data(service),
            )
        except InvalidRunRequest as error:
            raise InvalidRun(str(error)) from None
        _require_existing(found)
        return await self._create(deployment.namespace, body)

    async def _create_owned(
        self, deployment: Key, make: Callable[[Owner], Json], authorize_create: Callable[[], Awaitable[None]]
    ) -> Job:
        """Create a Job that belongs to a MillDeployment, which is created if there is none."""
        found = self._stores.deployments.get(deployment)
        try:
            body = make(Owner(deployment, found.uid if found else ""))
        except InvalidRunRequest as error:
            raise InvalidRun(str(error)) from None
        if found is None:
            await authorize_create()
            found = await self._create_empty(deployment)
            body["metadata"]["ownerReferences"][0]["uid"] = found.uid
        _require_existing(found)
        return await self._create(deployment.namespace, body)

    async def wait_until_started(self, job: Job) -> RunStart:
        """Wait until the program of a run has started, at most `WAIT_SECONDS`. The run does not depend on the waiting.

        Delete a run that cannot start, so that it does not start later, and raise `InsufficientResources` or
        `RunNotStarted`.
        """
        start = await self._wait(job)
        if start.failure is None:
            return start
        with contextlib.suppress(KubeError):  # it is gone, or its own deadline ends it
            await self._client.delete(JOBS, *job.key, uid=job.uid)
        if start.no_room:
            raise InsufficientResources(
                NO_ROOM, detail=start.failure, reason=start.reason, suggestion=start.suggestion, id=job.key.name
            )
        raise RunNotStarted(
            start.failure, reason=start.reason, detail=start.detail, suggestion=start.suggestion, id=job.key.name
        )

    async def _exists(self, owner: Owner) -> bool:
        """Whether a MillDeployment with this uid exists. If the store is behind, it is read from the API server."""
        found = self._stores.deployments.get(owner.key)
        if found is None or found.uid != owner.uid:
            try:
                found = self._stores.deployments.put(await self._client.get(MILL_DEPLOYMENTS, *owner.key))
            except NotFound:
                return False
        return found.uid == owner.uid

    async def _create_empty(self, deployment: Key) -> Deployment:
        """Create a MillDeployment without services, or return the one that was created meanwhile."""
        try:
            body = new_resource(deployment, MillDeploymentSpec())
            created = await self._client.create(
                MILL_DEPLOYMENTS, deployment.namespace, body, manager=GATEWAY_FIELD_MANAGER
            )
        except Conflict:
            created = await self._client.get(MILL_DEPLOYMENTS, *deployment)
        return self._stores.deployments.put(created)

    async def _create(self, namespace: str, body: Json) -> Job:
        try:
            created = await self._client.create(JOBS, namespace, body, manager=GATEWAY_FIELD_MANAGER)
        except ApiError as error:
            if error.status in (403, 422):  # a quota or an admission policy: the API server's text says which
                raise RunNotStarted(f"refused by the cluster: {error}", reason=error.reason) from error
            raise
        return self._stores.jobs.put(created)

    async def _wait(self, job: Job) -> RunStart:
        pods, deployments = self._stores.pods, self._stores.deployments
        program = Program(job.key.namespace, "task", job.task)
        deployment = Key(job.key.namespace, job.deployment)
        clock = asyncio.get_running_loop().time
        ends, room_ends = clock() + WAIT_SECONDS, clock() + ROOM_SECONDS
        with (
            pods.subscriptions.subscribe(job.key) as changed,
            deployments.subscriptions.subscribe(deployment, changed),
        ):
            while True:
                changed.clear()
                own = [each for each in pods.in_group(program) if each.run == job.key.name]
                found = deployments.get(deployment)
                verdict = run_verdicts(found.status).get(job.key.name) if found else None
                start = read_start(own, verdict)
                unschedulable = next((each.unschedulable for each in own if each.unschedulable is not None), None)
                if start.settled:
                    return start
                if clock() >= ends:
                    return start if verdict else explain_timeout(start, own)
                if unschedulable is not None and clock() >= room_ends:
                    return RunStart(failure=unschedulable, reason="Unschedulable", no_room=True)
                try:
                    async with asyncio.timeout_at(min(ends, room_ends) if unschedulable is not None else ends):
                        await changed.wait()
                except TimeoutError:
                    continue


def _require_existing(deployment: Deployment) -> None:
    """Raise `DeploymentTerminating` if a MillDeployment is being deleted."""
    if "deletionTimestamp" in deployment.metadata:
        raise DeploymentTerminating(
            f"MillDeployment {deployment.key} is being deleted, with its runs; try again when it is gone"
        )
