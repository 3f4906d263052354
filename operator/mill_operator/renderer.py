"""Making the content of objects that a pass writes, and of no others.

The spec is parsed for the first of them, and let go of when the pass is over. What takes long is done in a thread.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mill_operator.caches import Parent
from mill_operator.core.internal_errors import Fault, fault_of
from mill_operator.core.objects.desired import Child, Rendered, with_template
from mill_operator.core.objects.pods import Options
from mill_operator.core.objects.rendering import Desired, Source
from mill_operator.cpu_time import Aside

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """A Deployment that keeps the pod template of an older version."""

    wanted: Child
    """As it would be otherwise."""
    child: Child
    """As it is to be."""
    template: str
    """The older template's hash."""


class Renderer:
    """Makes the objects of one pass. `older` looks up the pod template of a service's older version, by its hash.

    An unexpected error is that service's or task's alone, and noted in `faults`: its neighbours are made.
    """

    def __init__(
        self,
        parent: Parent,
        wanted: Desired,
        options: Options,
        aside: Aside,
        older: Callable[[str, str], Awaitable[Json | None]],
    ) -> None:
        self._parent = parent
        self._wanted = wanted
        self._options = options
        self._aside = aside
        self._older = older
        self._source: Source | None = None
        self._sizes: dict[Child, int] = {}
        self._held: Mapping[str, Held] = {}
        self.faults: dict[tuple[str, str], Fault] = {}
        """Why objects could not be made, by what they are a part of: see `Child.program`."""

    @property
    def deployment(self) -> str:
        """Return the MillDeployment's name."""
        return self._parent.key.name

    def hold(self, held: Mapping[str, Held], children: Iterable[Child]) -> list[Child]:
        """Note which services keep an older version. Return the objects, with these in place of the wanted ones."""
        self._held = held
        return [self._as_held(child) for child in children]

    async def body(self, child: Child) -> Json | None:
        """Return the content of an object; None: it cannot be made, or is of an older version that is gone meanwhile.

        Raise `KubeError` if the older version cannot be looked up.
        """
        held = self._held.get(child.service or "")
        if held is None or held.child is not child:
            made = await self._made(child)
        else:
            template = await self._older(held.wanted.key.name, held.template)
            made = None if template is None else await self.with_template(held.wanted, template)
        return None if made is None else made.body

    async def with_template(self, child: Child, template: Json) -> Rendered | None:
        """Make a Deployment with the pod template of another version; None: it cannot be made."""
        return await self._made(child, template)

    def _as_held(self, child: Child) -> Child:
        held = self._held.get(child.service or "")
        return held.child if held is not None and child.kind == "Deployment" else child

    async def _made(self, child: Child, template: Json | None = None) -> Rendered | None:
        try:
            made = await self._render(child)
            return made if template is None else with_template(made, template)
        except Exception as error:  # noqa: BLE001 - whatever it is, its neighbours have nothing to do with it
            self.faults[child.program] = fault_of(error)
            return None

    async def _render(self, child: Child) -> Rendered:
        if self._source is None:
            parent = self._parent
            self._source = Source(parent.owner, parent.spec, dict(parent.restarts), self._options)
            self._sizes = {each: part.size for part in self._wanted.parts for each in part.children}
        return await self._aside.run(self._sizes.get(child, 0), self._source.render, child)
