"""Short stable hashes of JSON-like values."""

import hashlib
import json
from typing import Any


def digest(value: Any) -> str:
    """Return ten hexadecimal digits of a value's SHA-256. The order of keys does not matter."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:10]
