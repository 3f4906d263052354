"""The pods of a service that a command can use, by what the gateway reports. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mill_cli.errors import CliError, Exit
from mill_cli.output.text import one_line, with_detail

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""Names of Kubernetes: what a gateway sends becomes an argument of kubectl, and must be no option of it."""
_NOT_READY: Final = 2
_NAMES_SHOWN: Final = 10
_LONGEST: Final = 300
"""Characters of a cause."""


@dataclass(frozen=True, slots=True)
class ReachableService:
    """A service and the pods that a command can use."""

    namespace: str
    name: str
    port: int | None
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


def find_service(services: Sequence[Any], name: str) -> ReachableService:
    """Return the service of a name, or the one with the pod of this name and that pod alone. Raise `CliError`.

    `services` is the answer of `/v1/services`. Another deployment may have a service of the same name, without pods.
    """
    known = [each for each in services if isinstance(each, Mapping)]
    named = sorted((each for each in known if each.get("name") == name), key=lambda each: not _allocations(each))
    for each in named:
        return _read(each)
    for each in known:
        if any(pod.get("id") == name for pod in _allocations(each)):
            return _read(each, only=name)
    raise CliError(Exit.FAILED, f"service {one_line(name)} not found", _what_there_is(known))


def _read(service: Mapping[str, Any], only: str | None = None) -> ReachableService:
    usable = [(rank, str(pod["id"])) for pod in _allocations(service) if (rank := _rank(pod)) is not None]
    pods = [pod for _, pod in sorted(usable) if only in (None, pod)]
    port = service.get("port")
    message = str(service.get("message") or "")
    routes = [each for each in service.get("routes") or () if isinstance(each, Mapping)]
    return ReachableService(
        namespace=_checked(service.get("namespace")),
        name=_checked(service.get("name")),
        port=port if isinstance(port, int) and 0 < port < 65536 else None,
        pods=tuple(map(_checked, pods)),
        ready=frozenset(pod for rank, pod in usable if rank < _NOT_READY),
        urls=tuple(str(each.get("url")) for each in routes if each.get("problem") is None),
        problems=tuple((str(each.get("url")), str(each["problem"])) for each in routes if each.get("problem")),
        is_one_pod=only is not None,
        why=one_line(with_detail(message, service.get("detail")))[:_LONGEST],
    )


def _rank(pod: Mapping[str, Any]) -> int | None:
    """Return the place of a pod among others, the least first; None for a pod that does not run."""
    match pod.get("status"):
        case "healthy":
            return 0 if pod.get("current", True) else 1
        case "running":
            return _NOT_READY
    return None


def _allocations(service: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = service.get("allocations")
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _checked(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise CliError(Exit.FAILED, f"the gateway sent {one_line(repr(name)[:80])}, which is no name of Kubernetes")
    return name


def _what_there_is(services: Sequence[Mapping[str, Any]]) -> str:
    names = [one_line(str(each.get("name"))) for each in services]
    if not names:
        return "there are no services here; `--namespace` and `--name` select others"
    more = len(names) - _NAMES_SHOWN
    return f"there are: {', '.join(names[:_NAMES_SHOWN])}{f' and {more} more' if more > 0 else ''}"


def next_pod(service: ReachableService, lost: str, *, may_return: bool) -> str | None:
    """Return the pod to use after one was lost; None to wait for one.

    The lost one is used again only with `may_return`: what the gateway reports may still be of before.
    """
    others: Iterator[str] = (each for each in service.pods if each != lost)
    return next(others, lost if may_return and lost in service.pods else None)
