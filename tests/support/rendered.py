"""Objects of a MillDeployment with their contents, for tests of what is rendered."""

from dataclasses import dataclass
from typing import Any

from mill_api.owner import Owner
from mill_api.spec import MillDeploymentSpec
from mill_objects.key import Key
from mill_operator.core.objects.desired import RenderedObject
from mill_operator.core.objects.pods import DEFAULTS, RenderOptions
from mill_operator.core.objects.rendering import source
from mill_operator.core.objects.service import DesiredService

OWNER = Owner(Key("shop", "production"), "0123-uid")
DB = {"name": "db", "image": "postgres:17", "port": 5432}
TASK = {"name": "migrate", "image": "web:2", "command": ["migrate", "$1"], "env": {"DB": "${secret(db.url)}"}}


@dataclass
class Made:
    """All objects, each with its content."""

    children: list[RenderedObject]
    services: list[DesiredService]


def made_of(
    spec: dict[str, Any],
    restarts: dict[str, str] | None = None,
    options: RenderOptions = DEFAULTS,
    former_tls: frozenset[str] = frozenset(),
    owner: Owner = OWNER,
) -> Made:
    """Render all objects of a spec."""
    origin = source(owner, MillDeploymentSpec.model_validate(spec), restarts or {}, options, former_tls)
    wanted = origin.desired()
    rendered = [origin.render(child) for child in wanted.children]
    assert [each.child for each in rendered] == list(wanted.children), "the hash is that of what is written"
    return Made(rendered, list(wanted.services))


def make(
    *services: dict[str, Any], tasks: tuple[dict[str, Any], ...] = (), restarts: dict[str, str] | None = None
) -> Made:
    """Render all objects of these services and tasks."""
    return made_of({"services": services, "tasks": tasks}, restarts)


def web(**more: Any) -> dict[str, Any]:
    """A service of this name."""
    return {"name": "web", "image": "web:2", **more}


def one(made: Made, kind: str, name: str = "web") -> RenderedObject:
    """The only object of a kind with this name."""
    (found,) = (each for each in made.children if (each.child.kind, each.child.key.name) == (kind, name))
    return found


def template(**more: Any) -> str:
    """The hash of the pod template of `web` beside a database."""
    return next(each.template for each in make(DB, web(**more)).services if each.name == "web")
