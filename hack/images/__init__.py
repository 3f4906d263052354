"""Images, built without Docker and pushed to the local registry: Mill's own, and those for tests and examples."""

from hack.images.mill import push_mill
from hack.images.sample import copy_tag, push_busybox, push_sample, push_standin

__all__ = ["copy_tag", "push_busybox", "push_mill", "push_sample", "push_standin"]
