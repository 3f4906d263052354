"""Whom to believe that they are who they say."""

import os
import ssl
from pathlib import Path

from mill_cli.errors import CliError, Exit


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Trust the authorities of this machine and those in a file; `SSL_CERT_FILE` and `SSL_CERT_DIR` count as usual."""
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"] and not os.environ.get("SSL_CERT_FILE"):
        import certifi  # some Pythons come without a way to the machine's

        context.load_verify_locations(certifi.where())
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except ssl.SSLError as error:
            raise CliError(Exit.FILE, f"{ca_file}: no certificates in PEM ({error.reason})") from error
        except OSError as error:
            raise CliError(Exit.FILE, f"{ca_file}: {error.strerror} (os error {error.errno})") from error
    return context
