"""The volumes of a service → what its pods mount. Operator and gateway render them alike."""

from mill_api.spec import Service, Volume
from mill_objects.json import Json


def mount_volumes(service: Service, spec: Json, container: Json) -> None:
    """Mount the volumes of a service in the spec of a pod and in its container."""
    if service.volumes:
        container["volumeMounts"] = [{"name": each.name, "mountPath": each.path} for each in service.volumes]
        spec["volumes"] = [_volume(each) for each in service.volumes]


def keeps_data(service: Service) -> bool:
    """Whether a service has a persistent volume, which one node at a time can mount."""
    return any(not volume.ephemeral for volume in service.volumes)


def _volume(volume: Volume) -> Json:
    if not volume.ephemeral:
        return {"name": volume.name, "persistentVolumeClaim": {"claimName": volume.name}}
    return {"name": volume.name, "emptyDir": {"sizeLimit": volume.size} if volume.size else {}}
