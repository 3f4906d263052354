"""The image of every pod's sandbox: Debian's static catatonit, which does nothing until it gets a signal."""

from pathlib import Path
from typing import Final

from hack.images.archive import Image
from hack.images.archive import push as push_image

REFERENCE: Final = "127.0.0.1:5050/mill-dev/pause:1"


def push() -> None:
    """Push the image to the embedded cluster's registry."""
    push_image(Image({"/pause": Path("/usr/bin/catatonit")}, entrypoint=("/pause", "-P")), REFERENCE)
