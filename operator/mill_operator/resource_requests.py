"""Requests about one MillDeployment, which another one of its name may have replaced since the caches last changed."""

from mill_api import names
from mill_api.status import MillDeploymentStatus
from mill_kube.client import KubeClient
from mill_kube.errors import ApiError, NotFound
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_objects.key import Key


class ResourceGone(Exception):
    """The resource does not exist any more; another one may have its name."""


async def still_exists(client: KubeClient, key: Key, uid: str) -> bool:
    """Ask the API server whether the resource of that uid exists and is not being deleted."""
    try:
        metadata = (await client.get(MILL_DEPLOYMENTS, *key))["metadata"]
    except NotFound:
        return False
    return metadata["uid"] == uid and "deletionTimestamp" not in metadata


async def write_status(client: KubeClient, key: Key, uid: str, status: MillDeploymentStatus) -> None:
    """Write the status of the resource of that uid. Raise `ResourceGone`, or `KubeError` if it is refused."""
    body = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    try:
        await client.replace_status(MILL_DEPLOYMENTS, *key, body, uid=uid, manager=names.OPERATOR_FIELD_MANAGER)
    except NotFound as error:
        raise ResourceGone from error
    except ApiError as error:
        # An admission webhook may refuse in the same form.
        if error.is_failed_patch and not await still_exists(client, key, uid):
            raise ResourceGone from error
        raise
