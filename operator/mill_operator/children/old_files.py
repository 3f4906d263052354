"""Deletion of the ConfigMaps of files that no version of a service or task needs any more."""

import logging
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from mill_api import names
from mill_kube.client import KubeClient
from mill_kube.errors import ApiError
from mill_kube.resources import JOBS, REPLICA_SETS
from mill_objects import fields
from mill_objects.key import Key
from mill_operator.children.writer import ChildWriter
from mill_operator.core.objects.old_files import LOOK_EVERY, OldFiles, look, schedule
from mill_operator.core.observed.children import ObservedChild
from mill_process.logs import about

log = logging.getLogger(__name__)

PAGE = 200
"""ReplicaSets or Jobs in one page of a list of their metadata."""


async def collect_old_files(
    client: KubeClient,
    children: ChildWriter,
    key: Key,
    known: OldFiles,
    unwanted: Collection[ObservedChild],
    now: datetime,
) -> OldFiles:
    """Delete what of the unwanted ConfigMaps no version needs, if it is time to look. Return what is known then."""
    known = schedule(known, unwanted, now)
    if known.next_look is None or now < known.next_look:
        return known
    try:
        needed = await _needed(client, key)
    except ApiError as error:
        log.warning("%s: cannot list what needs older files: %s", key, error, extra=about(key))
        return replace(known, next_look=now + LOOK_EVERY)
    known, gone = look(known, unwanted, needed, now)
    await children.delete(gone)
    return known


async def _needed(client: KubeClient, key: Key) -> set[str]:
    """Return the digests that the ReplicaSets and Jobs of a MillDeployment have, by their metadata alone."""
    needed: set[str] = set()
    for resource in (REPLICA_SETS, JOBS):
        after: str | None = None
        while True:
            labels = f"{names.LABEL_DEPLOYMENT}={key.name},{names.LABEL_FILES}"
            page = await client.list(
                resource, key.namespace, labels=labels, limit=PAGE, after=after, metadata_only=True
            )
            for each in fields.mappings(page, "items"):
                needed.add(fields.texts(fields.mapping(each, "metadata"), "labels").get(names.LABEL_FILES, ""))
            after = fields.text(fields.mapping(page, "metadata"), "continue")
            if not after:
                break
    return needed
