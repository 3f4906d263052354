"""The two numbers of a service: the pods that serve, of any version, and how far its update has come."""

from typing import Final

from mill_api.service_status import ServiceStatus, State

_WITHOUT_UPDATE: Final = (State.HEALTHY, State.STOPPING, State.STOPPED)


def update_text(service: ServiceStatus) -> str | None:
    """Return what becomes of an update while pods of another version serve; None if none of them do.

    Such as `update to web:3 failed (0/2)`, with the healthy and the desired replicas of the new version.
    """
    replicas = service.replicas
    if service.state in _WITHOUT_UPDATE or replicas.serving <= replicas.healthy or _has_settled(service):
        return None
    is_new_image = service.image is not None and service.serving_images != [service.image]
    subject = f"update to {service.image}" if is_new_image else "update"
    return f"{subject} {_outcome(service)} ({replicas.healthy}/{replicas.desired})"


def _has_settled(service: ServiceStatus) -> bool:
    """Return whether the desired version has settled once: what serves and is not healthy has crashed since."""
    return service.settled_at is not None or (
        service.template is not None and service.healthy_template == service.template
    )


def _outcome(service: ServiceStatus) -> str:
    if service.state is State.FAILED:
        return "failed"
    if service.state is State.WAITING:
        return service.message or "waiting"
    return "in progress"
