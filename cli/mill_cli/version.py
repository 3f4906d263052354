"""Which mill this is."""


def number() -> str:
    """Return the version."""
    from importlib.metadata import version

    return version("mill-kubernetes")


def text() -> str:
    """Return what `mill --version` prints."""
    return f"mill {number()}"
