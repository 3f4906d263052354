"""The account of the pod that we run in: its token is in a file, in whose place the kubelet puts another one."""

import os
import re
from pathlib import Path
from typing import Final

from kubernetes.aio import config as aio_config
from kubernetes.aio.config import incluster_config

_LARGEST: Final = 64 * 1024
"""Bytes of a file that is read: more than any header that the API server takes."""
_TOKEN: Final = re.compile(rb"[\x21-\x7e]+")
"""What is fit for a header. Anything else would end each request with an error that is not one of the API server."""

TOKEN_ERRORS: Final = (OSError, aio_config.ConfigException)
"""Errors of reading the token. They have no part of it."""


class PodAccount(incluster_config.InClusterConfigLoader):  # type: ignore[misc]
    """The account, whose token is read again after a minute, or when it was refused."""

    def __init__(self) -> None:
        super().__init__(incluster_config.SERVICE_TOKEN_FILENAME, incluster_config.SERVICE_CERT_FILENAME)

    def forget(self) -> None:
        """Have the token read again before it is used again."""
        self.token_expires_at = incluster_config.datetime.datetime.min

    def _read_token_file(self) -> None:
        """Read the token without the white space around it, as client-go does. If that fails, the known one stays."""
        with Path(self._token_filename).open("rb") as file:
            token = file.read(_LARGEST + 1).strip()
        if not _TOKEN.fullmatch(token) or len(token) > _LARGEST:
            raise aio_config.ConfigException(f"{self._token_filename} is empty, or is no token")
        self.token = f"bearer {token.decode('ascii')}"
        self.token_expires_at = incluster_config.datetime.datetime.now() + self._token_refresh_period


def in_pod() -> bool:
    """Tell whether a pod's own account is what to use: where no kubeconfig says otherwise."""
    named = "KUBECONFIG" in os.environ or Path("~/.kube/config").expanduser().exists()
    return "KUBERNETES_SERVICE_HOST" in os.environ and not named
