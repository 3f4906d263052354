"""Starts that take long: slow programs and large images."""

from typing import Final

from tests.soak.healing.scenario import Group, service

LARGE_IMAGES: Final = ("large-1", "large-2")
"""Tags of images of 250 MB, which nodes must not have yet."""
LARGE_MEGABYTES: Final = 250


def slow_start(group: Group, name: str) -> str:
    """Return a service that is ready late, and says so."""
    command = f'command = ["/web", "--ready-after", "{group.heal_seconds:g}s"]'
    return service(group, name, command, 'health {\n    path = "/healthz"\n    start = "2m"\n  }')


def large_image(group: Group, name: str) -> str:
    """Return a service of a large image, one image for each group."""
    return service(group, name, image=f"web:{LARGE_IMAGES[group.number % len(LARGE_IMAGES)]}-{LARGE_MEGABYTES}M")
