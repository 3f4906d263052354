"""MillDeployments: reading them, deploying a spec, restarting a service."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from mill_api.gitops import gitops_owner
from mill_api.names import GATEWAY_FIELD_MANAGER
from mill_api.rollout_ids import new_request
from mill_api.spec import MillDeploymentSpec
from mill_gateway.core.accidents import outdated_plan, removal_of_all, version_of
from mill_gateway.core.difference import Difference, difference, volumes_left
from mill_gateway.core.ownership import next_write
from mill_gateway.core.patches import force_patch, new_resource, pause_patch, read_spec, replace_patch, restart_patch
from mill_gateway.core.planned_tasks import PlannedTask, planned_tasks
from mill_gateway.core.services import view_services
from mill_gateway.exceptions.deployments import (
    AmbiguousService,
    DeploymentNotFound,
    DeploymentTerminating,
    ManagedByGitOps,
    PlanOutdated,
    RemovesAllServices,
    ServiceNotFound,
    WriteConflict,
)
from mill_gateway.objects.deployments import Deployment, project_deployment
from mill_gateway.objects.ingresses import Ingress
from mill_gateway.objects.pods import Program
from mill_gateway.stores import Stores
from mill_kube.client import KubeClient
from mill_kube.errors import ApiError, Conflict, NotFound
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_objects.json import Json
from mill_objects.key import Key

ATTEMPTS: Final = 5

Authorize = Callable[[str], Awaitable[None]]
"""Checks the caller's access for the verb (`create`, `patch`) that is about to be sent. Raises `AccessDenied`."""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """Options of the write of a deploy."""

    force: bool = False
    """Whether a resource that a GitOps tool manages is written, too."""
    dry_run: bool = False
    """Whether the API server only checks the write, and stores nothing."""
    replace_all: bool = False
    """Whether none of the current services has to stay."""
    base: str | None = None
    """The version of the resource, by `version_of`, that the write requires; None: any."""
    asked: str | None = None
    """The annotation that says who asked for the spec."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a deploy would do."""

    created: bool
    """Whether there is no such resource yet."""
    base: str
    """The version of the resource from which the plan was made."""
    difference: Difference
    volumes_kept: list[str]
    """Persistent volumes that the new spec has no more."""
    rollout_tasks: list[PlannedTask]
    """The tasks that run in rollouts."""


class Deployments:
    """The MillDeployments that the gateway serves."""

    def __init__(self, client: KubeClient, stores: Stores) -> None:
        self._client = client
        self._deployments = stores.deployments
        self._pods = stores.pods
        self._ingresses = stores.ingresses

    def find(self, namespace: str, name: str | None = None) -> list[Deployment]:
        """Return the deployments of a namespace, by name; with a name only the one that has it."""
        return [each for each in self._deployments.in_group(namespace) if name in (None, each.key.name)]

    def exists(self, key: Key) -> bool:
        """Whether the store has a deployment."""
        return self._deployments.get(key) is not None

    def get(self, key: Key) -> Deployment:
        """Return a deployment. Raise `DeploymentNotFound`."""
        found = self._deployments.get(key)
        if found is None:
            raise DeploymentNotFound(key.name, key.namespace)
        return found

    async def read(self, key: Key) -> Deployment:
        """Return a deployment as the API server has it. Raise `DeploymentNotFound`."""
        found = await self._read(key)
        if found is None:
            raise DeploymentNotFound(key.name, key.namespace)
        return found

    def services(self, namespace: str, name: str | None = None, only: str | None = None) -> Iterator[dict[str, object]]:
        """Yield the services of a namespace, or of one deployment: `ServiceView` as plain JSON.

        `only` is the name of the services to yield: one, unless two deployments have it.
        """
        for deployment in self.find(namespace, name):
            yield from view_services(
                deployment,
                [each for each in deployment.services if only in (None, each["name"])],
                lambda service: self._pods.in_group(Program(namespace, "service", service)),
                self.ingresses(deployment),
            )

    def ingresses(self, deployment: Deployment) -> dict[str, Ingress]:
        """Return the Ingresses of a deployment, by service."""
        keys = (Key(deployment.key.namespace, each["name"]) for each in deployment.services if each.get("routes"))
        found = (self._ingresses.get(key) for key in keys)
        return {each.key.name: each for each in found if each is not None and each.deployment == deployment.key.name}

    async def deploy(self, key: Key, spec: MillDeploymentSpec, options: WriteOptions, authorize: Authorize) -> Json:
        """Bring a resource to `spec` and return it. If it has this spec already, start a new rollout."""
        _, written = await self._write(key, spec, options, authorize)
        self._deployments.put(written)
        return written

    async def plan(self, key: Key, spec: MillDeploymentSpec, options: WriteOptions, authorize: Authorize) -> Planned:
        """Return what a dry run of `deploy` would do. The caller of a plan may `get` the resource."""
        current, answer = await self._write(key, spec, options, authorize)
        before = None if current is None else read_spec(current.spec)
        after = read_spec(answer["spec"]) or spec
        tasks = planned_tasks(answer["spec"], () if current is None else current.status.rollout_tasks)
        return Planned(
            current is None, version_of(current), difference(before, after), volumes_left(before, after), tasks
        )

    async def delete(self, key: Key, *, force: bool) -> Deployment:
        """Begin the deletion of a resource and return it as it was.

        Its children go with it; claims of volumes have no owner, and stay. One that is being deleted already is
        returned, too. Raise `DeploymentNotFound`, `ManagedByGitOps` or `WriteConflict`.
        """
        current = await self.deletable(key, force=force)
        try:
            await self._client.delete(MILL_DEPLOYMENTS, *key, uid=current.uid)
        except NotFound:
            pass  # another request was faster
        except Conflict:
            raise WriteConflict(f"MillDeployment {key}: conflict: the resource was recreated; try again") from None
        return current

    async def deletable(self, key: Key, *, force: bool) -> Deployment:
        """Return a resource that may be deleted. Raise `DeploymentNotFound` or `ManagedByGitOps`."""
        current = self._deployments.get(key) or await self._read(key)
        if current is None:
            raise DeploymentNotFound(key.name, key.namespace)
        if not force:
            _require_unmanaged(current, "delete", "creates it again")
        return current

    async def restart(self, deployment: Deployment, service: str) -> Json:
        """Start a rollout that gives a service new pods, and return the resource. Raise `ServiceNotFound`."""
        body = restart_patch(deployment.uid, service, new_request(datetime.now(UTC)))
        try:
            written = await self._client.merge_patch(
                MILL_DEPLOYMENTS, *deployment.key, body, manager=GATEWAY_FIELD_MANAGER
            )
        except NotFound:
            raise ServiceNotFound(service, deployment.key.namespace) from None
        self._deployments.put(written)
        return written

    async def pause(self, key: Key, *, paused: bool) -> Deployment:
        """Pause a resource or resume it, and return it. Raise `DeploymentNotFound` or `WriteConflict`."""
        current = self._deployments.get(key) or await self._read(key)
        if current is None:
            raise DeploymentNotFound(key.name, key.namespace)
        # Sent also if the store says that it is so: the store may be behind, and no change is no write.
        body = pause_patch(current.uid, paused=paused)
        try:
            written = await self._client.merge_patch(MILL_DEPLOYMENTS, *key, body, manager=GATEWAY_FIELD_MANAGER)
        except NotFound:
            raise DeploymentNotFound(key.name, key.namespace) from None
        except Conflict:
            raise WriteConflict(f"MillDeployment {key}: conflict: the resource was recreated; try again") from None
        self._deployments.put(written)
        return project_deployment(written)

    async def _write(
        self, key: Key, spec: MillDeploymentSpec, options: WriteOptions, authorize: Authorize
    ) -> tuple[Deployment | None, Json]:
        """Write `spec`, and return the resource as it was before, and the API server's answer.

        If the store is out of date, the write fails, the resource is read, and the write is tried again. Of several
        concurrent deploys the last one wins, unless `options` require a version.

        `authorize` is called before each attempt, since one that begins as a creation may continue as a patch and the
        reverse: a caller with one of the rights must not gain the other by a concurrent write.
        """
        current, is_read = self._deployments.get(key), False
        for attempt in range(ATTEMPTS):
            await authorize("patch" if current else "create")
            try:
                _require_intended(key, current, spec, options)
                written = await self._attempt(key, spec, current, options, last=attempt == ATTEMPTS - 1)
            except (PlanOutdated, RemovesAllServices):
                if is_read:  # else the store may be out of date
                    raise
            except (NotFound, Conflict) as error:
                if isinstance(error, NotFound) and current is None:
                    raise  # the namespace or the kind is missing
            except ApiError as error:
                if not error.is_failed_patch:  # else the resource has changed
                    raise
            else:
                return current, written
            current, is_read = await self._read(key), True
        raise WriteConflict(f"MillDeployment {key}: conflict: the resource keeps being recreated; try again")

    async def _attempt(
        self, key: Key, spec: MillDeploymentSpec, current: Deployment | None, options: WriteOptions, *, last: bool
    ) -> Json:
        """Send one write. The last one does not depend on the resource's generation."""
        client, dry_run = self._client, options.dry_run
        if current is None:
            body = new_resource(key, spec, options.asked)
            return await client.create(
                MILL_DEPLOYMENTS, key.namespace, body, manager=GATEWAY_FIELD_MANAGER, dry_run=dry_run
            )
        request = new_request(datetime.now(UTC))
        if last and options.base is None:
            patch = force_patch(current.uid, spec, request, options.asked)
            return await client.merge_patch(
                MILL_DEPLOYMENTS, *key, patch, manager=GATEWAY_FIELD_MANAGER, dry_run=dry_run
            )
        changes = replace_patch(current, spec, request, options.asked)
        return await client.json_patch(MILL_DEPLOYMENTS, *key, changes, manager=GATEWAY_FIELD_MANAGER, dry_run=dry_run)

    async def _read(self, key: Key) -> Deployment | None:
        try:
            return project_deployment(await self._client.get(MILL_DEPLOYMENTS, *key))
        except NotFound:
            return None


def only_one(deployments: list[Deployment], service: str, namespace: str) -> Deployment:
    """Return the one deployment that has a service. Raise `ServiceNotFound` or `AmbiguousService`."""
    if not deployments:
        raise ServiceNotFound(service, namespace)
    if len(deployments) > 1:
        which = ", ".join(each.key.name for each in deployments)
        raise AmbiguousService(f"several deployments have a service {service}: say which with `?name=` ({which})")
    return deployments[0]


def _require_intended(key: Key, current: Deployment | None, spec: MillDeploymentSpec, options: WriteOptions) -> None:
    """Raise `PlanOutdated`, `RemovesAllServices`, or what `_require_writable` raises."""
    if options.base is not None and options.base != version_of(current):
        raise PlanOutdated(outdated_plan(key))
    if current is None:
        return
    _require_writable(current, force=options.force)
    if not options.replace_all and (why := removal_of_all(current, spec, named=options.dry_run)) is not None:
        raise RemovesAllServices(*why)


def _require_writable(current: Deployment, *, force: bool) -> None:
    """Raise `DeploymentTerminating` or, unless forced, `ManagedByGitOps`."""
    if "deletionTimestamp" in current.metadata:
        raise DeploymentTerminating(f"MillDeployment {current.key} is being deleted; try again when it is gone")
    if not force:
        _require_unmanaged(current, "deploy", "puts back what it manages")


def _require_unmanaged(current: Deployment, command: str, undoes: str) -> None:
    """Raise `ManagedByGitOps` if a tool manages a resource. `undoes` is what it does to the forced command."""
    owner = gitops_owner(current.metadata, current.managers)
    if owner is not None:
        verb = "delete" if command == "delete" else "change"
        raise ManagedByGitOps(
            f"MillDeployment {current.key} is managed by {owner}: {verb} it there, "
            f"or force it (`?force=true`, `mill {command} --force`), until its next {next_write(owner)} {undoes}",
            owner=owner,
        )
