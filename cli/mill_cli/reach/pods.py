"""The pods of a service that a command can use, by what the gateway reports. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mill_cli.connection.missing_names import near_names
from mill_cli.errors import CliError, Exit
from mill_cli.output.text import one_line
from mill_cli.services import Pod, ReportedService

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""Names of Kubernetes: what a gateway sends becomes an argument of kubectl, and must be no option of it."""
_NOT_READY: Final = 2
_NO_SERVICES: Final = "there are no services here; `--namespace` and `--name` select others"


@dataclass(frozen=True, slots=True)
class ReachableService:
    """A service and the pods that a command can use."""

    namespace: str
    name: str
    port: int | None
    ports: dict[str, int]
    """Numbers of its named TCP ports."""
    pods: tuple[str, ...]
    """Names of the pods that run, best first: ready ones of the current version, other ready ones, those not ready."""
    ready: frozenset[str]
    urls: tuple[str, ...]
    """URLs of the routes that an ingress controller serves."""
    problems: tuple[tuple[str, str], ...]
    """URLs of the other routes, each with its problem."""
    is_one_pod: bool
    """Whether the user named a pod rather than the service."""
    why: str
    """Why pods are missing; empty if the gateway does not say."""

    def without_pods(self) -> str:
        """Return the message that there is no pod."""
        return f"no pod of {self.name} is running" + (f": {self.why}" if self.why else "")


def find_service(services: Sequence[ReportedService], name: str) -> ReachableService:
    """Return the service of a name, or the one with the pod of this name and that pod alone. Raise `CliError`.

    Another deployment may have a service of the same name, without pods.
    """
    named = sorted((each for each in services if each.name == name), key=lambda each: not each.pods)
    for each in named:
        return _reachable(each)
    for each in services:
        if any(pod.name == name for pod in each.pods):
            return _reachable(each, only=name)
    advice = near_names("service", name, [each.name for each in services]) or [_NO_SERVICES]
    raise CliError(Exit.FAILED, f'no service or pod "{one_line(name)}"', *advice)


def _reachable(service: ReportedService, only: str | None = None) -> ReachableService:
    usable = [(rank, pod.name) for pod in service.pods if (rank := _rank(pod)) is not None]
    pods = [pod for _, pod in sorted(usable) if only in (None, pod)]
    return ReachableService(
        namespace=_checked(service.namespace),
        name=_checked(service.name),
        port=service.port,
        ports=service.ports,
        pods=tuple(map(_checked, pods)),
        ready=frozenset(pod for rank, pod in usable if rank < _NOT_READY),
        urls=tuple(each.url for each in service.routes if not each.problem),
        problems=tuple((each.url, each.problem) for each in service.routes if each.problem),
        is_one_pod=only is not None,
        why=service.short_cause,
    )


def _rank(pod: Pod) -> int | None:
    """Return the place of a pod among others, the least first; None for a pod that does not run."""
    match pod.status:
        case "healthy":
            return 0 if pod.is_current else 1
        case "running":
            return _NOT_READY
    return None


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise CliError(Exit.FAILED, f"the gateway sent {one_line(repr(name)[:80])}, which is no name of Kubernetes")
    return name


def next_pod(service: ReachableService, lost: str, *, may_return: bool) -> str | None:
    """Return the pod to use after one was lost; None to wait for one.

    The lost one is used again only with `may_return`: what the gateway reports may still be of before.
    """
    others: Iterator[str] = (each for each in service.pods if each != lost)
    return next(others, lost if may_return and lost in service.pods else None)
