"""Images whose programs cannot be started."""

import tempfile
from pathlib import Path
from typing import Final

from hack import images
from hack.images.archive import Image, push

_LOADER: Final = Path("/lib64/ld-linux-x86-64.so.2")
_DYNAMIC: Final = Path("/bin/ls")
"""A program that needs more libraries than its loader."""


def push_all(registry: str) -> None:
    """Push every image of the table."""
    images.push_sample(registry, "1")
    images.push_busybox(registry, "1")
    with tempfile.TemporaryDirectory() as folder:
        no_program, no_interpreter = Path(folder) / "no-program", Path(folder) / "no-interpreter"
        no_program.write_text("this is not a program\n")
        no_interpreter.write_text("#!/no/such/interpreter\n")
        push(Image({"/web": no_program}, ("/web",)), f"{registry}/no-program:1")
        push(Image({"/web": no_interpreter}, ("/web",)), f"{registry}/no-interpreter:1")
        files = {"/web": _DYNAMIC, str(_LOADER): _LOADER.resolve()}
        push(Image(files, ("/web",)), f"{registry}/no-library:1")
