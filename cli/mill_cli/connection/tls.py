"""TLS: the trusted certificate authorities, and whether a server expects TLS at all."""

import os
import socket
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from mill_cli.errors import CliError, Exit

_PROBE_SECONDS: Final = 2.0
_NOT_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"})
"""OpenSSL's reasons for an answer that is not TLS."""


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that trusts this machine's authorities and those in a file. Raise `CliError`.

    `SSL_CERT_FILE` and `SSL_CERT_DIR` apply as usual.
    """
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"] and not os.environ.get("SSL_CERT_FILE"):
        import certifi  # noqa: PLC0415 - for a Python that cannot find the machine's authorities

        context.load_verify_locations(certifi.where())
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except ssl.SSLError as error:
            raise CliError(Exit.FILE, f"{ca_file}: no PEM certificates ({error.reason})") from error
        except OSError as error:
            raise CliError(Exit.FILE, f"{ca_file}: {error.strerror}") from error
    return context


def untrusted(error: ssl.SSLError) -> str | None:
    """Return why a certificate is not trusted; None if a handshake failed otherwise."""
    return error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else None


def is_plain_answer(error: ssl.SSLError) -> bool:
    """Whether a handshake failed because the server does not speak TLS."""
    return error.reason in _NOT_TLS


def expects_tls(address: str) -> bool:
    """Whether a server that does not answer plain HTTP at an address answers TLS. Nothing is sent to it."""
    parts = urlsplit(address)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((parts.hostname or "", parts.port or 80), _PROBE_SECONDS) as connection,
            context.wrap_socket(connection, server_hostname=parts.hostname),
        ):
            return True
    except (OSError, ValueError):  # of which SSLError is one
        return False
