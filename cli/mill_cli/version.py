"""The version of mill."""


def number() -> str:
    """Return the version."""
    from importlib.metadata import version

    return version("mill-kubernetes")


def text() -> str:
    """Return the output of `mill --version`."""
    return f"mill {number()}"
