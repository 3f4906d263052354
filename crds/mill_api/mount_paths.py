"""Paths at which no volume can be mounted into a container: runtimes refuse to start it, in words that few understand.

Tried with containerd and runc, where a volume in `/dev`, such as `/dev/shm`, works.
"""


def refuse_volume(path: str) -> str | None:
    """Return why no volume can be mounted at a path; None if one can."""
    if not path.strip("/"):
        return "a volume cannot be at '/', where the image is"
    if path.rstrip("/") == "/dev":
        return "a volume cannot be at /dev, where the container's devices are"
    return "a volume cannot be in /proc, whose files are the kernel's" if f"{path}/".startswith("/proc/") else None
