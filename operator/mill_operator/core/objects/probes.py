"""A service's checks → the probes of its container, and how long a start may take."""

from datetime import timedelta
from math import ceil
from typing import Final

from mill_api.check_rules import port_of
from mill_api.checks import Check, Live
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
_CONNECTION_PERIOD: Final = 2
"""Seconds between two connections, where there is no check."""
_COMMAND_PERIOD: Final = 2
"""Seconds between two checks of a start by a command: each is a process in the container."""


def probes(service: Service) -> Json:
    """Return the probes. The judge ends a start, never the kubelet, which would only restart a slow container."""
    health, live = service.health, service.live
    is_checked = health is not None and has_check(health)
    found: Json = {}
    if health is not None and is_checked:
        interval = {"periodSeconds": _period(health), "failureThreshold": health.failure_threshold}
        found = _startup(service, health) | {"readinessProbe": _action(service, health) | interval}
    elif service.port is not None:
        found = {"readinessProbe": _connection(service.port)}
        if live is not None:  # it must not end a container that has not started
            found["startupProbe"] = _connection(service.port) | _startup_limit(service, _CONNECTION_PERIOD)
    elif live is not None:
        found = _startup(service, live)
    if live is not None:
        interval = {"periodSeconds": _period(live), "failureThreshold": live.failure_threshold}
        found["livenessProbe"] = _action(service, live) | interval
    return found


def least_live_time(service: Service) -> timedelta | None:
    """Return how long a container runs at least before its live check ends it; None if it has none."""
    live = service.live
    return None if live is None else timedelta(seconds=_period(live) * (live.failure_threshold - 1))


def first_live_restart(live: Live) -> timedelta:
    """Return how long a container runs at most that a live check ends which never succeeds."""
    return timedelta(seconds=_period(live) * live.failure_threshold) + to_timedelta(live.timeout)


def _startup(service: Service, check: Check) -> Json:
    period = 1 if check.command is None else _COMMAND_PERIOD
    return {"startupProbe": _action(service, check) | _startup_limit(service, period)}


def _startup_limit(service: Service, period: int) -> Json:
    return {"periodSeconds": period, "failureThreshold": ceil(_startup_checks(service) / period)}


def _period(check: Check) -> int:
    return max(1, round(to_timedelta(check.interval).total_seconds()))


def _connection(port: int) -> Json:
    return {"tcpSocket": {"port": port}, "periodSeconds": _CONNECTION_PERIOD}


def start_budget(service: Service) -> timedelta:
    """Return how long a container may take from its first start until it is ready."""
    if service.health is None:
        return START_LIMIT
    if service.health.start is not None:
        return min(LONGEST, to_timedelta(service.health.start))
    checks = to_timedelta(service.health.interval) * service.health.failure_threshold
    return min(LONGEST, max(START_LIMIT, checks))  # what is added to a time must not overflow


def _action(service: Service, check: Check) -> Json:
    """Return what is done, and how long it may take."""
    timeout = {"timeoutSeconds": max(1, ceil(to_timedelta(check.timeout).total_seconds()))}
    if check.command is not None:  # the kubelet replaces $(NAME) in it
        return {"exec": {"command": [literal(word) for word in check.command]}} | timeout
    port = port_of(check, service)
    if check.grpc is not None:
        return {"grpc": {"port": port} | ({"service": check.grpc} if check.grpc else {})} | timeout
    if check.path is None:
        return {"tcpSocket": {"port": port}} | timeout
    headers = [{"name": name, "value": value} for name, value in check.headers.items()]
    return {"httpGet": {"path": check.path, "port": port} | ({"httpHeaders": headers} if headers else {})} | timeout


def _startup_checks(service: Service) -> int:
    """Return after how many checks, one a second, the kubelet gives up a start: only for a long `start` above 600."""
    if service.health is None or service.health.start is None:
        return STARTUP_CHECKS
    return max(STARTUP_CHECKS, ceil((start_budget(service) + STARTUP_MARGIN).total_seconds()))
