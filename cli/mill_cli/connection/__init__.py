"""Connection to the gateway.

- `target`: its location, from options and environment.
- `proxy`: `kubectl proxy` as a child process, for a gateway behind the API server.
- `client`: requests and answers. `tls`: certificates. `failures`: errors and hints.
- `transport`: requests and answers as plain data. `direct`, `proxied`: who sends them, without and with a proxy of the
  environment. `proxies`: which ones it sets.
- `token`: from an option, a variable or a file.
- `exposure`: whether others can read a token in transit. `bodies`: limits of answers.
- `streams`: server-sent events, resumed over several connections. `server_sent`: their parser.
"""

import sys

# httpx imports its own command line, which takes longer than everything else of it.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type] # None makes the import fail at once
