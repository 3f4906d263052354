"""The desired state of a MillDeployment that has one object of each kind, and what writes single objects of it."""

import asyncio
from dataclasses import dataclass, field
from functools import cached_property

from mill_kube.client import KubeClient
from mill_objects.json import Json
from mill_operator.caches import Caches
from mill_operator.children.applier import ChildApplier, Write
from mill_operator.children.write_memory import WriteMemory
from mill_operator.core.objects.desired import ChildObject
from mill_operator.core.objects.pods import DEFAULTS
from mill_operator.core.objects.rendering import DesiredState, ParsedSpec
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment, project_mill_deployment
from mill_operator.cpu_time import ThreadOffload
from mill_operator.renderer import Renderer
from tests.support.reconciling import UID, resource_body

IMAGE = "registry.example/web:1"
EVERYTHING: Json = {
    "services": [
        {
            "name": "web",
            "image": IMAGE,
            "port": 8080,
            "routes": [{"host": "www.example.com", "path": "/"}],
            "volumes": [{"name": "data", "path": "/data", "size": "1Mi"}],
        }
    ],
    "tasks": [{"name": "migrate", "image": IMAGE}],
}
"""A spec of which there is one object of each kind."""


@dataclass
class SingleWrites:
    """Writes single objects of `EVERYTHING` as the operator does, one request at a time."""

    client: KubeClient
    namespace: str
    memory: WriteMemory = field(default_factory=WriteMemory)

    @cached_property
    def resource(self) -> ObservedMillDeployment:
        return project_mill_deployment(
            resource_body(EVERYTHING, name="mill", namespace=self.namespace, uid=UID, resourceVersion="1")
        )

    @cached_property
    def desired(self) -> DesiredState:
        return ParsedSpec(self.resource.owner, EVERYTHING, {}).desired()

    def child(self, kind: str) -> ChildObject:
        (child,) = (each for each in self.desired.children if each.kind == kind)
        return child

    async def create(self, child: ChildObject) -> bool:
        """Write an object whose name was free when it was looked up."""
        caches = Caches(self.client, self.namespace, lambda _key: None)
        applier = ChildApplier(self.client, caches, asyncio.Semaphore(1))
        return await applier.create(self._write, child, None)

    @property
    def _write(self) -> Write:
        renderer = Renderer(self.resource, self.desired, DEFAULTS, ThreadOffload(), _no_older_template)
        return Write(self.resource.owner, self.memory, renderer)


async def _no_older_template(_service: str, _template: str) -> Json | None:
    return None
