"""Reads and writes of the ControllerRevisions that keep what was deployed.

They are read when a rollout begins or ends, and around the runs of tasks in it: too seldom for a cache.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final, TypeAlias, TypedDict

from mill_api import names
from mill_api.owner import Owner
from mill_api.revisions import LARGEST, Revision, new_revision, read_revision, revision_name
from mill_kube.client import KubeClient
from mill_kube.connection import YAML
from mill_kube.errors import Conflict, NotFound
from mill_kube.resources import CONTROLLER_REVISIONS
from mill_objects import fields
from mill_objects.json import Json, JsonView
from mill_operator.core.rollout.revisions import changed_annotations
from mill_process.logs import about

log = logging.getLogger(__name__)


class _How(TypedDict):
    manager: str
    content_type: str


_MOST: Final = 100
"""Revisions that are read of one MillDeployment; it has eleven for a moment."""
_NAMES_TRIED: Final = 12
"""Numbers that are tried: others may have objects of the names of some."""
_TRIES: Final = 3
"""Tries of a change while others change the same object."""
_EXISTS: Final = "AlreadyExists"

_HOW: Final[_How] = {"manager": names.OPERATOR_FIELD_MANAGER, "content_type": YAML}
"""The API server compares the bytes of `data`, which never change. Only as it writes them itself do they stay the same
in a patch by others, such as that of the garbage collector for `kubectl delete --cascade=orphan`."""

Changes: TypeAlias = Mapping[str, str | None]
"""Annotations to set, and with None those to remove."""


class NoName(Exception):
    """Others have objects of all names that were tried."""


class Revisions:
    """The revisions of MillDeployments. All methods raise `KubeError`."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def all(self, owner: Owner) -> list[Revision]:
        """Return the revisions that are a MillDeployment's own, in no order."""
        labels = f"{names.LABEL_DEPLOYMENT}={owner.key.name}"
        page = await self._client.list(CONTROLLER_REVISIONS, owner.key.namespace, labels=labels, limit=_MOST)
        found = (read_revision(each, owner.uid) for each in fields.mappings(page, "items"))
        return [each for each in found if each is not None]

    async def create(self, owner: Owner, first: int, spec: JsonView, annotations: Mapping[str, str]) -> int:
        """Create a revision, of the first free number. Return the number. Raise `NoName`."""
        last = first + _NAMES_TRIED - 1
        for number in range(first, min(last, LARGEST) + 1):
            body = new_revision(owner, number, spec, annotations)
            try:
                await self._client.create(CONTROLLER_REVISIONS, owner.key.namespace, body, **_HOW)
            except Conflict as error:
                if error.reason != _EXISTS:
                    raise
                continue
            log.info("%s: created revision %d", owner.key, number, extra=about(owner.key, kind="ControllerRevision"))
            return number
        tried = f"{revision_name(owner.key.name, first)} to {revision_name(owner.key.name, last)}"
        raise NoName(f"others have the ControllerRevisions {tried}")

    async def annotate(self, owner: Owner, name: str, change: Callable[[Revision], Changes]) -> bool:
        """Change annotations of a revision. Return False if there is none of that name that is the owner's own."""
        for _ in range(_TRIES):
            found = await self._own(owner, name)
            if found is None:
                return False
            revision, body = found
            changed = changed_annotations(body, change(revision))
            if changed is None:
                return True
            try:
                await self._client.update(CONTROLLER_REVISIONS, owner.key.namespace, changed, **_HOW)
            except Conflict as error:
                conflict = error
            else:
                return True
        raise conflict

    async def delete(self, owner: Owner, revisions: Iterable[Revision]) -> None:
        """Delete revisions, unless others have their names by now."""
        for each in revisions:
            found = await self._own(owner, each.name)
            if found is None:
                continue
            uid = fields.text(fields.mapping(found[1], "metadata"), "uid")
            with suppress(NotFound, Conflict):
                await self._client.delete(CONTROLLER_REVISIONS, owner.key.namespace, each.name, uid=uid)

    async def _own(self, owner: Owner, name: str) -> tuple[Revision, Json] | None:
        try:
            body = await self._client.get(CONTROLLER_REVISIONS, owner.key.namespace, name)
        except NotFound:
            return None
        revision = read_revision(body, owner.uid)
        return None if revision is None else (revision, body)
