"""Volumes as the API shows them."""

from collections.abc import Iterable

from pydantic import BaseModel, Field

from mill_gateway.objects.amounts import size
from mill_gateway.objects.claims import Claim
from mill_gateway.objects.pods import Pod


class VolumeView(BaseModel):
    """A persistent volume."""

    name: str
    state: str = Field(description="`attached` while a replica mounts it, else `ready`.", examples=["attached"])
    node: str | None = Field(description="Node where it is attached.")
    cloud_id: str = Field(description="Name of the PersistentVolume; empty until there is one.")
    namespace: str
    deployment: str = Field(description="Name of its MillDeployment.")
    service: str = Field(description="Its service.")
    size: str | None = Field(description="Its size, in Kubernetes' notation.", examples=["5Gi"])
    size_bytes: int | None = Field(description="The same in bytes.")
    phase: str = Field(description="`Bound`, `Pending` or `Lost`; `Terminating` while it is being deleted.")


def held_by(pods: Iterable[Pod]) -> Pod | None:
    """Return the pod that uses a volume: the first that has not ended of those that mount it."""
    return next((each for each in pods if not each.over), None)


def view_volume(claim: Claim, pods: Iterable[Pod]) -> VolumeView:
    """Return a volume as the API shows it. `pods` are those that mount it, ended ones included."""
    pod = held_by(pods)
    return VolumeView(
        name=claim.key.name,
        state="attached" if pod else "ready",
        node=pod.node if pod else None,
        cloud_id=claim.volume or "",
        namespace=claim.key.namespace,
        deployment=claim.deployment,
        service=claim.service,
        size=claim.size,
        size_bytes=size(claim.size) if claim.size else None,
        phase="Terminating" if claim.terminating else claim.phase,
    )
