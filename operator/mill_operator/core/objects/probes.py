"""A service's health check → the probes of its container, and how long a start may take."""

from datetime import timedelta
from math import ceil
from typing import Final

from mill_api.check_rules import port_of
from mill_api.checks import Health
from mill_api.durations import LONGEST, to_timedelta
from mill_api.manifests import literal
from mill_api.service_rules import has_check
from mill_api.spec import Service
from mill_objects.json import Json

START_LIMIT: Final = timedelta(seconds=30)
STARTUP_CHECKS: Final = 600
"""Seconds, at a check each, after which the kubelet gives up a start. The judge ends a start before."""
STARTUP_MARGIN: Final = timedelta(minutes=1)
"""How much later than the judge the kubelet gives up a start."""
_COMMAND_PERIOD: Final = 2
"""Seconds between two checks of a start by a command: each is a process in the container."""


def probes(service: Service) -> Json:
    """Return the probes. The judge ends a start, never the kubelet, which would only restart a slow container."""
    health = service.health
    if health is None or not has_check(health):
        if service.port is None:
            return {}
        return {"readinessProbe": {"tcpSocket": {"port": service.port}, "periodSeconds": 2}}
    check = _action(service, health) | {"timeoutSeconds": _seconds(health.timeout)}
    interval = max(1, round(to_timedelta(health.interval).total_seconds()))
    period = 1 if health.command is None else _COMMAND_PERIOD
    limit = ceil(_startup_checks(service) / period)
    return {
        "startupProbe": {**check, "periodSeconds": period, "failureThreshold": limit},
        "readinessProbe": {**check, "periodSeconds": interval, "failureThreshold": health.failure_threshold},
    }


def start_budget(service: Service) -> timedelta:
    """Return how long a container may take from its first start until it is ready."""
    if service.health is None:
        return START_LIMIT
    if service.health.start is not None:
        return min(LONGEST, to_timedelta(service.health.start))
    checks = to_timedelta(service.health.interval) * service.health.failure_threshold
    return min(LONGEST, max(START_LIMIT, checks))  # what is added to a time must not overflow


def _action(service: Service, health: Health) -> Json:
    if health.command is not None:
        return {"exec": {"command": [literal(word) for word in health.command]}}  # the kubelet replaces $(NAME) in it
    port = port_of(health, service)
    if health.grpc is not None:
        return {"grpc": {"port": port} | ({"service": health.grpc} if health.grpc else {})}
    if health.path is None:
        return {"tcpSocket": {"port": port}}
    headers = [{"name": name, "value": value} for name, value in health.headers.items()]
    return {"httpGet": {"path": health.path, "port": port} | ({"httpHeaders": headers} if headers else {})}


def _startup_checks(service: Service) -> int:
    """Return after how many checks, one a second, the kubelet gives up a start: only for a long `start` above 600."""
    if service.health is None or service.health.start is None:
        return STARTUP_CHECKS
    return max(STARTUP_CHECKS, ceil((start_budget(service) + STARTUP_MARGIN).total_seconds()))


def _seconds(duration: str) -> int:
    return max(1, ceil(to_timedelta(duration).total_seconds()))
