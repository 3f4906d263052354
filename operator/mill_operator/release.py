"""The release of this operator, as statuses and Events name it."""

from importlib.metadata import version


def release_name() -> str:
    """Return the name of this release, without its patch number: mill 0.2."""
    return f"mill {'.'.join(version('mill-kubernetes').split('.')[:2])}"
