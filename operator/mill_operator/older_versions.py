"""The services that go back to their older version, and what that version was.

Which ones do is decided in `core.reconcile.writes`; this module looks up the pod templates.
"""

from dataclasses import replace

from mill_kube.client import KubeClient
from mill_objects.json import Json
from mill_operator.caches import Caches
from mill_operator.children.older_templates import older_template
from mill_operator.core.objects.rendering import DesiredState
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment
from mill_operator.core.reconcile.writes import services_to_roll_back
from mill_operator.memory import Memory
from mill_operator.renderer import Renderer, Rollback


class OlderVersions:
    """Finds older versions of services."""

    def __init__(self, client: KubeClient, caches: Caches) -> None:
        self._client = client
        self._caches = caches

    async def rollbacks(
        self, resource: ObservedMillDeployment, memory: Memory, desired: DesiredState, renderer: Renderer
    ) -> dict[str, Rollback]:
        """Return the services that go back to their older version, with the Deployment that they get."""
        rollbacks: dict[str, Rollback] = {}
        for child, good in services_to_roll_back(desired, memory.status, memory.written):
            name = child.key.name
            known = (name, good, child.applied)
            if known not in memory.rollback_hashes:
                template = await self.template(resource, name, good)
                rendered = None if template is None else await renderer.with_template(child, template)
                if child.program in renderer.internal_errors:
                    continue
                memory.rollback_hashes[known] = None if rendered is None else rendered.child.applied
            if (applied := memory.rollback_hashes[known]) is not None:
                rollbacks[name] = Rollback(child, replace(child, applied=applied), good)
        return rollbacks

    async def template(self, resource: ObservedMillDeployment, service: str, template: str) -> Json | None:
        """Return the pod template of an older version of a service, by its hash; None if it does not exist any more."""
        return await older_template(self._client, resource, self._caches.snapshot(resource), service, template)
