"""TLS with certificates that are renewed while the process runs, as cert-manager renews mounted ones."""

import asyncio
import errno
import logging
import ssl
from pathlib import Path
from typing import Final, NoReturn

from mill_gateway.files import version
from mill_process.settings import SettingsError

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5.0
"""How often the files are looked at."""


class Certificate:
    """A certificate and its key, and the context that connections are accepted with."""

    def __init__(self, chain: str, key: str) -> None:
        self._files = Path(chain), Path(key)
        self._version = self._seen()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            self.context.load_cert_chain(*self._files, password=_passphrase)
        except OSError as error:
            raise SettingsError(f"MILL_TLS_CERT={chain}, MILL_TLS_KEY={key}: {_words(error)}") from error

    def renew(self) -> bool:
        """Take the files if they have changed, for connections from now on. Tell whether they were taken.

        A pair that does not fit, as between the writing of two files, is left until it changes again.
        """
        seen = self._seen()
        if seen == self._version:
            return False
        self._version = seen
        try:
            # On a context of its own first: one that fails half-way would refuse all connections.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self._files, password=_passphrase)
            self.context.load_cert_chain(*self._files, password=_passphrase)
        except OSError as error:
            log.warning("%s: %s; the certificate of before still counts", self._files[0], _words(error))
            return False
        log.info("%s: certificate read again", self._files[0])
        return True

    async def follow(self) -> None:
        """Look at the files all the time, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.renew()

    def _seen(self) -> tuple[object, ...]:
        return tuple(_version(file) for file in self._files)


def _version(file: Path) -> tuple[int, ...] | None:
    try:
        return version(file)
    except OSError:
        return None


def _passphrase() -> NoReturn:
    """Refuse, where OpenSSL would ask the terminal and wait."""
    raise OSError(errno.EINVAL, "the key has a passphrase, which nobody is there to type")


def _words(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        mismatch = error.reason == "KEY_VALUES_MISMATCH"
        return "the key is not the certificate's" if mismatch else "no certificate and key in PEM"
    return error.strerror or str(error)
