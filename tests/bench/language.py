"""How fast `.mill` files are read, and what bad ones cost: `make bench-language`. Figures only; nothing here fails."""

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from mill_language import InvalidConfig, parse

SERVICE = """service "web-{n}" {{
  image    = "registry.example/team/web-{n}:1.{n}"
  port     = 8080
  replicas = 2
  memory   = "512M"
  env {{
    API = "${{service.web-0.address}}"
    KEY = secret(key)
  }}
  health {{
    path = "/healthz"
  }}
}}
"""


LARGER_HEAD = """variable "tag" { default = "1.4" }
variable "domain" { default = "example.com" }

env "common" {
  LOG_LEVEL    = "info"
  DATABASE_URL = "postgres://shop:${secret(db)}@${service.web-0.address}/shop"
}
"""
LARGER_SERVICE = """service "web-{n}" {{
  image = "registry.example/web-{n}:${{var.tag}}"
  port  = 8080
  args  = ["--port", "8080", "${{service.web-0.host}}"]
  use   = ["common"]
  env {{
    API = "${{service.web-0.address}}"
    KEY = secret(key)
  }}
  health {{
    path = "/healthz"
  }}
  route "w{n}.${{var.domain}}" {{}}
}}
"""


def cpu_milliseconds(work: Callable[[], object], times: int) -> float:
    """Return the least CPU time, which other processes disturb the least."""
    figures = []
    for _ in range(times):
        started = time.process_time()
        work()
        figures.append(1000 * (time.process_time() - started))
    return min(figures)


def count_to_a_million() -> None:
    """Do what takes every machine its own time, to compare figures by."""
    total = 0
    for number in range(1_000_000):
        total += number * number


def milliseconds(work: Callable[[], object], times: int) -> float:
    """Return the median."""
    figures = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        figures.append(1000 * (time.perf_counter() - started))
    return statistics.median(figures)


def refused(data: bytes) -> None:
    """Parse what is not a config."""
    try:
        parse(data)
    except InvalidConfig:
        return
    raise AssertionError("accepted")


def in_a_process(name: str) -> str:
    """Measure one kind of garbage in a process of its own, for its memory's sake."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.language", name], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


GARBAGE: dict[str, Callable[[], bytes]] = {
    "10 MB of random bytes": lambda: os.urandom(10_000_000),
    "10 MB of brackets": lambda: b"a = " + b"[" * 10_000_000,
    "250 KB of random bytes": lambda: os.urandom(250_000),
    "250 KB of brackets": lambda: b"a = " + b"[" * 250_000,
    "250 KB of quotes": lambda: b'"' * 250_000,
    "brackets nested 100,000 deep": lambda: b"a = " + b"[" * 100_000 + b"]" * 100_000,
}


def main() -> None:
    """Print the table."""
    if len(sys.argv) > 1:
        data = GARBAGE[sys.argv[1]]()
        took = milliseconds(lambda: refused(data), 1)
        print(f"{took:8.0f} ms {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:6.0f} MiB")
        return
    for count in (50, 100, 200):
        text = "".join(SERVICE.format(n=n) for n in range(count))
        print(f"{count} services, {len(text) / 1000:.0f} KB {milliseconds(lambda text=text: parse(text), 20):8.1f} ms")
    text = LARGER_HEAD + "".join(LARGER_SERVICE.format(n=n) for n in range(200))
    took = cpu_milliseconds(lambda: parse(text), 30)
    print(f"200 services with variables, {len(text) / 1000:.0f} KB {took:8.1f} ms of CPU")
    print(f"a loop of a million steps {cpu_milliseconds(count_to_a_million, 10):8.1f} ms of CPU")
    for name in GARBAGE:
        print(f"{name:<30} {in_a_process(name)}")
    for module in ("pydantic, mill_api.spec", "pydantic, mill_api.spec, mill_language"):
        code = f"import {module}"
        took = milliseconds(lambda code=code: subprocess.run([sys.executable, "-c", code], check=True), 10)
        print(f"python -c 'import {module}' {took:8.0f} ms")


if __name__ == "__main__":
    main()
