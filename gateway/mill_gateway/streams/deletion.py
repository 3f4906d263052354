"""A deletion as server-sent events: followed until no pod of the MillDeployment is left."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from mill_gateway.core.deletion import DeletionProgress, programs_of
from mill_gateway.objects.deployments import Deployment
from mill_gateway.objects.pods import Program
from mill_gateway.stores import Stores


async def follow_deletion(stores: Stores, deleted: Deployment) -> AsyncIterator[bytes]:
    """Yield the bytes of each event until the last. The deletion does not depend on its streams."""
    clock = asyncio.get_running_loop().time
    progress = DeletionProgress(deleted, clock())

    def has_pods(program: Program) -> bool:
        return any(each.deployment == deleted.key.name for each in stores.pods.in_group(program))

    changed = asyncio.Event()
    with contextlib.ExitStack() as subscribed:
        subscribed.enter_context(stores.deployments.subscriptions.subscribe(deleted.key, changed))
        for program in programs_of(deleted):
            subscribed.enter_context(stores.pods.subscriptions.subscribe(program, changed))
        while not progress.over:
            changed.clear()
            for event in progress.observe(stores.deployments.get(deleted.key), has_pods, clock()):
                yield event.encode()
            if not progress.over:
                await changed.wait()
