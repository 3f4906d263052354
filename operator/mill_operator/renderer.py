"""Renderer of the objects that a reconciliation writes, and of no others.

The spec is parsed for the first of them, and dropped at the end of the reconciliation. Long work runs in a thread.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from mill_objects.json import Json
from mill_operator.core.internal_errors import InternalError, internal_error_of
from mill_operator.core.objects.desired import ChildObject, RenderedObject, with_template
from mill_operator.core.objects.pods import RenderOptions
from mill_operator.core.objects.rendering import DesiredState, ParsedSpec
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment
from mill_operator.cpu_time import ThreadOffload


@dataclass(frozen=True, slots=True)
class Rollback:
    """A Deployment that gets the pod template of its older version back."""

    wanted: ChildObject
    """The Deployment as the spec wants it."""
    child: ChildObject
    """The Deployment with the older template."""
    template: str
    """The older template's hash."""


class Renderer:
    """Renders the objects of one reconciliation. `older` looks up the pod template of an older version, by its hash.

    `former_tls` are the services that keep the former name of their TLS Secret.

    An unexpected error concerns one service or task alone, and is kept in `internal_errors`: the others are rendered.
    """

    def __init__(
        self,
        resource: ObservedMillDeployment,
        wanted: DesiredState,
        options: RenderOptions,
        offload: ThreadOffload,
        older: Callable[[str, str], Awaitable[Json | None]],
        former_tls: Collection[str] = (),
    ) -> None:
        self._parent = resource
        self._wanted = wanted
        self._options = options
        self._offload = offload
        self._older = older
        self._former_tls = former_tls
        self._source: ParsedSpec | None = None
        self._sizes: dict[ChildObject, int] = {}
        self._rollbacks: Mapping[str, Rollback] = {}
        self.internal_errors: dict[tuple[str, str], InternalError] = {}
        """Why objects could not be rendered, by `ChildObject.program`."""

    def with_rollbacks(self, rollbacks: Mapping[str, Rollback], children: Iterable[ChildObject]) -> list[ChildObject]:
        """Set which services are rolled back. Return the objects, with the rolled-back Deployments in place."""
        self._rollbacks = rollbacks
        return [self._rolled_back(child) for child in children]

    async def body(self, child: ChildObject) -> Json | None:
        """Return the content of an object; None: it cannot be rendered, or its older version is gone meanwhile.

        Raise `KubeError` if the older version cannot be looked up.
        """
        held = self._rollbacks.get(child.service or "")
        if held is None or held.child is not child:
            made = await self._try_render(child)
        else:
            template = await self._older(held.wanted.key.name, held.template)
            made = None if template is None else await self.with_template(held.wanted, template)
        return None if made is None else made.body

    async def with_template(self, child: ChildObject, template: Json) -> RenderedObject | None:
        """Render a Deployment with the pod template of another version; None: it cannot be rendered."""
        return await self._try_render(child, template)

    def _rolled_back(self, child: ChildObject) -> ChildObject:
        held = self._rollbacks.get(child.service or "")
        return held.child if held is not None and child.kind == "Deployment" else child

    async def _try_render(self, child: ChildObject, template: Json | None = None) -> RenderedObject | None:
        try:
            made = await self._render(child)
            return made if template is None else with_template(made, template)
        except Exception as error:  # noqa: BLE001 - any error is of this part alone
            self.internal_errors[child.program] = internal_error_of(error)
            return None

    async def _render(self, child: ChildObject) -> RenderedObject:
        if self._source is None:
            resource = self._parent
            restarts = dict(resource.restarts)
            self._source = ParsedSpec(resource.owner, resource.spec, restarts, self._options, self._former_tls)
            self._sizes = {each: part.size for part in self._wanted.parts for each in part.children}
        return await self._offload.run(self._sizes.get(child, 0), self._source.render, child)
