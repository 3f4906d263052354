"""The way to the gateway.

- `target`: where it is, from options and environment.
- `proxy`: `kubectl proxy` as a child, where only the cluster's API server can be reached.
- `client`: requests and answers. `tls`: certificates. `failures`: what goes wrong on the way, in words.
- `token`: as it was given, or from a file.
- `exposure`: whether others can read a token on its way. `bodies`: how much is read of an answer.
- `streams`: server-sent events over as many connections as it takes.
"""

import sys

# httpx brings a command line of its own, which takes longer to import than all else here.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type] # as Python marks what is not to be imported
