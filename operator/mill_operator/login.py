"""How kopf gets the credentials of the operator's client, and again after the API server has refused them."""

import logging
import time
from typing import Final

import kopf

from mill_kube.backoff import Backoff
from mill_kube.client import KubeClient
from mill_kube.pod_account import TOKEN_ERRORS

log = logging.getLogger(__name__)

_AGAIN: Final = 5.0
"""Seconds after which a token is read again that could not be read."""
_ACCEPTED: Final = 60.0
"""Seconds after which credentials that are refused have been accepted before."""


class Login:
    """The credentials for kopf, which ends the operator when it gets those again that were refused.

    An API server that has just been started may refuse what it takes a moment later; and a token that was ended early
    is replaced in a while. So the same are given again, and are another login to kopf: after a pause, since kopf makes
    none.
    """

    def __init__(self) -> None:
        self._given: str | None = None
        self._count = 0
        self._at = 0.0
        self._backoff = Backoff()

    async def __call__(self, client: KubeClient) -> kopf.ConnectionInfo:
        """Return them. kopf asks when it begins, and when those that it has were refused."""
        client.forget_token()
        known = client.configuration
        try:
            given = await known.get_api_key_with_prefix("BearerToken") or ""
        except TOKEN_ERRORS as error:
            raise kopf.TemporaryError(f"the token of the account cannot be read: {error}", delay=_AGAIN) from error
        if given == self._given:
            self._backoff.failed(worked=time.monotonic() - self._at >= _ACCEPTED)
            log.warning("the API server has refused the credentials of the operator: they are tried again")
            await self._backoff.pause()
        else:
            self._backoff = Backoff()
        self._given, self._at, self._count = given, time.monotonic(), self._count + 1
        scheme, _space, token = given.rpartition(" ")
        return kopf.ConnectionInfo(
            server=known.host,
            ca_path=known.ssl_ca_cert,
            insecure=not known.verify_ssl,
            scheme=scheme or None,
            token=token or None,
            certificate_path=known.cert_file,
            private_key_path=known.key_file,
            priority=self._count,  # kopf takes none that are equal to those that were refused
        )
