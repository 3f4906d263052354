"""What the reference of `.mill` files says of pods."""

from typing import Final

from mill_api.place import NVIDIA

PODS: Final = f"""\
### Users, groups and disks

A disk of most storage classes belongs to root at first, so that the program of an image with a user of its own cannot
write to it. `group = 1000` lets all volumes of the service belong to that group, whose member the program is. Images
that start as root and change to another user themselves, such as `postgres`, need neither `user` nor `group`.

With `read_only_root = true` a program writes to its volumes only: an ephemeral one at `/tmp` is often needed.

### Requests and limits

`cpu` and `memory` are what a replica requests, and without a `limits` block its limits as well. A replica that uses
more memory than its limit is ended; one that uses more CPU is slowed down. With limits above its requests a pod is of
the class *Burstable* and no longer *Guaranteed*: on a node that runs out of memory it is ended earlier.

`gpu = 1` is one `{NVIDIA}`. For others name the resource: `gpu = {{ "amd.com/gpu" = 1 }}`. Known are
`nvidia.com/gpu`, `nvidia.com/gpu.shared`, `nvidia.com/mig-…`, `amd.com/gpu`, `gpu.intel.com/i915` and
`gpu.intel.com/xe`.

### Labels, annotations and tolerations

An administrator says which of them files may have: the operator's settings [`MILL_POD_LABELS`, `MILL_POD_ANNOTATIONS`
and `MILL_TOLERATIONS`](settings.md), which are empty by default. Others are refused by name. `mill.dev/…` and
`app.kubernetes.io/managed-by` are Mill's own. A tolerated key is tolerated with every value and every effect.
"""
