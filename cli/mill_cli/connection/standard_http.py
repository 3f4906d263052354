"""The HTTP client of the standard library, imported without TLS.

`http.client` imports ssl if there is one, for a class that mill does not use: a quarter of what it takes to import.
"""

import sys

_had_ssl = "ssl" in sys.modules
if not _had_ssl:
    sys.modules["ssl"] = None  # type: ignore[assignment] # None makes the import fail at once
try:
    from http.client import (
        BadStatusLine,
        HTTPConnection,
        HTTPException,
        HTTPResponse,
        IncompleteRead,
        RemoteDisconnected,
    )
finally:
    if not _had_ssl:
        del sys.modules["ssl"]

__all__ = ["BadStatusLine", "HTTPConnection", "HTTPException", "HTTPResponse", "IncompleteRead", "RemoteDisconnected"]
