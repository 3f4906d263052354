"""TLS settings: the trusted certificate authorities."""

import os
import ssl
from pathlib import Path

from mill_cli.errors import CliError, Exit


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
