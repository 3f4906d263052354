"""The client without TLS is mill's own: the process keeps the whole `http.client`."""

import subprocess
import sys

PROGRAM = """
import mill_cli.connection.standard_http
import sys
assert "ssl" not in sys.modules
import http.client, urllib.request
assert http.client.HTTPSConnection and urllib.request.HTTPSHandler
"""


def test_others_get_the_client_with_tls() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)
