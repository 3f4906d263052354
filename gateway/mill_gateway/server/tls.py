"""TLS, with certificates that may change while the process runs, as cert-manager renews mounted ones."""

import asyncio
import errno
import logging
import ssl
from pathlib import Path
from typing import Final, NoReturn

from mill_gateway.files import version
from mill_process.settings import SettingsError

log = logging.getLogger(__name__)

CHECK_SECONDS: Final = 5.0
"""Time between two checks of the files."""


class Certificate:
    """Certificate chain and key, and the TLS context that accepts connections with them."""

    def __init__(self, chain: str, key: str) -> None:
        self._files = Path(chain), Path(key)
        self._version = self._read_versions()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            self.context.load_cert_chain(*self._files, password=_passphrase)
        except OSError as error:
            raise SettingsError(f"MILL_TLS_CERT={chain}, MILL_TLS_KEY={key}: {_message(error)}") from error

    def renew(self) -> bool:
        """Load the files if they have changed, for later connections. Return whether they were loaded.

        A key that does not match the certificate, as between two writes, has no effect until a file changes again.
        """
        found = self._read_versions()
        if found == self._version:
            return False
        self._version = found
        try:
            # First into a separate context: one that is loaded in part would refuse all connections.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self._files, password=_passphrase)
            self.context.load_cert_chain(*self._files, password=_passphrase)
        except OSError as error:
            log.warning("%s: %s; the previous certificate stays in use", self._files[0], _message(error))
            return False
        log.info("%s: loaded the certificate", self._files[0])
        return True

    async def follow(self) -> None:
        """Check the files until canceled."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self.renew()

    def _read_versions(self) -> tuple[object, ...]:
        return tuple(_version(file) for file in self._files)


def _version(file: Path) -> tuple[int, ...] | None:
    try:
        return version(file)
    except OSError:
        return None


def _passphrase() -> NoReturn:
    """Raise OSError: OpenSSL would ask the terminal, and wait."""
    raise OSError(errno.EINVAL, "the key has a passphrase, which the gateway cannot read")


def _message(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        mismatch = error.reason == "KEY_VALUES_MISMATCH"
        return "the key does not match the certificate" if mismatch else "not a certificate and a key in PEM format"
    return error.strerror or str(error)
