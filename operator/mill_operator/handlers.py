"""Where kopf meets the controller: start, stop, probes, and wake-ups. Everything else is elsewhere."""

import logging
import time
from typing import Any

import kopf

from mill_api import names
from mill_api.key import Key
from mill_api.kube.client import KubeClient
from mill_operator.controller import Controller
from mill_operator.settings import Settings

DEAF_SECONDS = 180.0
"""A watch that has not heard anything for longer is dead: bookmarks come every minute."""


def register(registry: kopf.OperatorRegistry, own: Settings) -> None:
    """Add our handlers to a registry."""

    @kopf.on.startup(registry=registry)
    async def start(settings: kopf.OperatorSettings, memo: kopf.Memo, **_: Any) -> None:
        settings.posting.enabled = False
        settings.peering.standalone = True
        settings.scanning.disabled = True
        settings.watching.connect_timeout = 10
        settings.networking.request_timeout = 30
        logging.getLogger("kopf.objects").setLevel(logging.WARNING)  # it logs every event that it sees
        memo.client = await KubeClient.connect(own.context)
        memo.controller = Controller(memo.client, own.namespace, own.options, evidence_logs=own.evidence_logs)
        await memo.controller.start(own.workers)

    @kopf.on.login(registry=registry)
    async def login(memo: kopf.Memo, **_kwargs: Any) -> kopf.ConnectionInfo:
        known = memo.client.configuration
        scheme, _space, token = (await known.get_api_key_with_prefix("BearerToken") or "").rpartition(" ")
        return kopf.ConnectionInfo(
            server=known.host,
            ca_path=known.ssl_ca_cert,
            insecure=not known.verify_ssl,
            scheme=scheme or None,
            token=token or None,
            certificate_path=known.cert_file,
            private_key_path=known.key_file,
        )

    @kopf.on.cleanup(registry=registry)
    async def stop(memo: kopf.Memo, **_: Any) -> None:
        await memo.controller.stop()
        await memo.client.close()

    @kopf.on.event(names.GROUP, names.VERSION, names.PLURAL, registry=registry)
    async def wake(namespace: str | None, name: str, memo: kopf.Memo, meta: kopf.Meta, **_: Any) -> None:
        # Only a wake-up. A pass reads from our own reflector: if that sees the change later, it wakes the key again.
        known = memo.controller.cluster.parents.get(Key(namespace or "", name))
        if known is not None and known.generation < meta["generation"]:
            memo.controller.wake(known.key)

    @kopf.on.probe(id="watches", registry=registry, retries=1)
    async def watches(memo: kopf.Memo, **_: Any) -> dict[str, float]:
        silent = time.monotonic() - min(each.last_heard for each in memo.controller.cluster.reflectors)
        if silent > DEAF_SECONDS:
            raise kopf.PermanentError(f"a watch has heard nothing for {silent:.0f} s")
        return {"silent_seconds": round(silent, 1)}
