"""The images that the nodes of the embedded cluster keep."""

from hack.cluster import runtime
from hack.commands import CommandFailed, run


def forget(reference: str) -> None:
    """Remove an image from all nodes, so that the next pod pulls it, though its tag is known.

    Nodes keep an image by its tag. One that was pushed again under the same tag would not be used.
    """
    for socket in runtime.sockets():
        try:
            run(runtime.client(), "--address", socket, "--namespace", "k8s.io", "images", "rm", "--sync", reference)
        except CommandFailed as error:
            if "not found" not in str(error):
                raise
