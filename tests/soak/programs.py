"""The services of the soak: `REGISTRY` stands for the registry."""

CHECK = 'health { path = "/healthz" }'


def web(tag: str = "1", replicas: int = 1, *lines: str) -> str:
    """Return a service of the sample image, with these lines added to it."""
    added = "".join(f"  {line}\n" for line in lines)
    return f"""
service "web" {{
  image    = "REGISTRY/web:{tag}"
  port     = 8080
  cpu      = 0.01
  memory   = "32M"
  replicas = {replicas}
{added}}}
"""


def exiting(seconds: float, replicas: int, *, check: bool) -> str:
    """Return a service whose program listens, and exits after so many seconds."""
    command = f'command = ["/web", "--exit-after", "{seconds}s"]'
    return web("1", replicas, command, *([CHECK] if check else []))


def dependants(seconds: int, tag: str) -> str:
    """Return a database that listens after so many seconds, and an app that exits until then."""
    start = '  health { start = "2m" }\n' if seconds > 30 else ""
    return f"""
service "app" {{
  image   = "REGISTRY/web:{tag}"
  command = ["/web", "--needs", "db:8080"]
  port    = 8080
  cpu     = 0.01
  memory  = "32M"
  env {{ DATABASE = "db:8080" }}
}}

service "db" {{
  image   = "REGISTRY/web:{tag}"
  command = ["/web", "--start-after", "{seconds}s"]
  port    = 8080
  cpu     = 0.01
  memory  = "32M"
{start}}}
"""
