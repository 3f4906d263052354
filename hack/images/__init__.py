"""Images for tests and examples, built without Docker and pushed to the local registry."""

from hack.images.sample import copy_tag, push_busybox, push_sample

__all__ = ["copy_tag", "push_busybox", "push_sample"]
