"""The sample images: `web`, a small server whose behavior flags decide, `standin`, which takes the place of real
applications in tests, and `busybox`, a shell with tools.
"""

import contextlib
import random
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hack import paths
from hack.commands import CommandFailed, run
from hack.images.archive import Image, push
from hack.toolchain.build import CRANE, build
from hack.toolchain.sources import compiled

_WEB_SOURCE: Final = Path(__file__).parent / "web"
_STANDIN_SOURCE: Final = Path(__file__).parent / "standin"
_BUSYBOX: Final = Path("/bin/busybox")
_NOBODY: Final = "65532:65532"
"""A numeric user, so that pods with `runAsNonRoot` may run the image."""


def push_sample(registry: str, tag: str, version: str | None = None) -> str:
    """Push `web` under a tag; it answers with `version` (the tag, unless given). Return the reference."""
    reference = f"{registry}/web:{tag}"
    image = Image({"/web": _web()}, ("/web",), environment={"VERSION": version or tag}, user=_NOBODY)
    push(image, reference)
    return reference


def push_large(registry: str, tag: str, megabytes: int) -> str:
    """Push `web` with so much data that cannot be compressed, unless the registry has the tag. Return the reference."""
    reference = f"{registry}/web:{tag}"
    build([CRANE])
    with contextlib.suppress(CommandFailed):
        run(CRANE.path, "digest", reference)
        return reference
    numbers = random.Random(tag)  # noqa: S311 - no secret
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with data.open("wb") as file:
            for _ in range(megabytes):
                file.write(numbers.randbytes(1_000_000))
        push(Image({"/web": _web(), "/data": data}, ("/web",), user=_NOBODY), reference)
    return reference


def push_standin(registry: str, tag: str = "1", *, commands: Iterable[str] = (), user: str = _NOBODY) -> str:
    """Push the stand-in for applications under a tag. Return the reference.

    As the first program of a container it serves; as any other it is a check. `commands` are further names for it,
    those of the application's own commands: `pg_isready`, `/usr/bin/tini`.
    """
    reference = f"{registry}/standin:{tag}"
    links = {name if name.startswith("/") else f"/bin/{name}": "/bin/standin" for name in commands}
    program = compiled(_STANDIN_SOURCE, paths.IMAGES)
    image = Image({"/bin/standin": program}, ("/bin/standin",), links=links, environment={"VERSION": tag}, user=user)
    push(image, reference)
    return reference


def push_busybox(registry: str, tag: str) -> str:
    """Push a shell and its tools (Debian's static busybox) under a tag. Return the reference."""
    if not _BUSYBOX.exists():
        raise FileNotFoundError(f"{_BUSYBOX}: install Debian's package busybox-static")
    reference = f"{registry}/busybox:{tag}"
    tools = {f"/bin/{name}": "busybox" for name in run(_BUSYBOX, "--list").split() if name != "busybox"}
    push(Image({"/bin/busybox": _BUSYBOX}, ("/bin/sh",), links=tools), reference)
    return reference


def copy_tag(registry: str, source: str, target: str) -> None:
    """Give an image in the registry a second name: `copy_tag(registry, "web:1", "web:2")`."""
    build([CRANE])
    run(CRANE.path, "copy", f"{registry}/{source}", f"{registry}/{target}")


def _web() -> Path:
    return compiled(_WEB_SOURCE, paths.IMAGES)
