"""The HTTP client of the standard library, imported without TLS.

`http.client` imports ssl if there is one, for a class that mill does not use: a quarter of what it takes to import.
This module has a copy of its own, so that whoever imports `http.client` in the same process gets all of it.
"""

import sys

_is_imported = "http.client" in sys.modules or "ssl" in sys.modules
if not _is_imported:
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
    if not _is_imported:
        del sys.modules["ssl"]
        sys.modules.pop("http.client", None)

__all__ = ["BadStatusLine", "HTTPConnection", "HTTPException", "HTTPResponse", "IncompleteRead", "RemoteDisconnected"]
