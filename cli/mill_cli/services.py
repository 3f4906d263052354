"""What the gateway reports of services: the one reader of `/v1/services`, for all commands.

The answer may be that of another release, or of the original, which reports less. What is missing or malformed is
empty, and an entry that is no object is left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mill_cli.output.text import one_line, with_detail

if TYPE_CHECKING:
    from mill_cli.connection.client import Gateway

PATH: Final = "/v1/services"
_LARGEST_PORT: Final = 65535
_SHORT: Final = 300
"""Characters of a cause inside of a message."""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod of a service."""

    name: str
    status: str
    is_current: bool
    """Whether it is of the current version. A gateway that does not report versions: yes."""
    restarts: int


@dataclass(frozen=True, slots=True)
class Route:
    """A route of a service."""

    url: str
    problem: str
    """Why it does not work; empty if nothing is wrong."""


@dataclass(frozen=True, slots=True)
class ReportedService:
    """A service. Its texts are foreign, and not yet made printable."""

    namespace: str
    deployment: str
    name: str
    state: str
    """Empty if the gateway reports none, as the original does."""
    image: str
    serving_images: tuple[str, ...]
    update: str
    """The text of an update while an older version serves; empty if there is none."""
    desired: int
    healthy: int
    serving: int
    """Replicas that serve, of any version."""
    port: int | None
    ports: dict[str, int]
    """Numbers of its named TCP ports."""
    outside: tuple[str, ...]
    """Addresses of ports outside the cluster."""
    pods: tuple[Pod, ...]
    routes: tuple[Route, ...]
    message: str
    detail: str
    suggestion: str
    created_at: str | None
    changed_at: str | None
    since: str | None
    """When its state began."""
    due_at: str | None
    """When it fails if it is still suspect."""

    @property
    def cause(self) -> str:
        """Why it is in its state, on one printable line: the message with its detail; empty if that is not known."""
        return one_line(with_detail(self.message, self.detail))

    @property
    def short_cause(self) -> str:
        """As much of the cause as a message has room for."""
        return self.cause[:_SHORT]


def read_services(gateway: "Gateway", **query: str) -> list[ReportedService]:
    """Return the services of a namespace, a deployment or a name, by the query. Raise `CliError`."""
    return project_services(gateway.get(PATH, **query))


def project_services(answer: object) -> list[ReportedService]:
    """Return the services of an answer of `/v1/services`."""
    return [_project(each) for each in _list(answer) if isinstance(each, Mapping)]


def _project(service: Mapping[str, Any]) -> ReportedService:
    replicas = service.get("replicas")
    counts = replicas if isinstance(replicas, Mapping) else {}
    healthy = _count(counts.get("healthy"))
    port = _count(service.get("port"))
    return ReportedService(
        namespace=_text(service.get("namespace")),
        deployment=_text(service.get("deployment")),
        name=_text(service.get("name")),
        state=_text(service.get("state")),
        image=_text(service.get("image")),
        serving_images=tuple(each for each in _list(service.get("serving_images")) if isinstance(each, str)),
        update=_text(service.get("update")),
        desired=_count(counts.get("desired")),
        healthy=healthy,
        serving=_count(counts["serving"]) if "serving" in counts else healthy,  # the original has one number
        port=port if 0 < port <= _LARGEST_PORT else None,
        ports=dict(_ports(service.get("ports"))),
        outside=tuple(
            _text(each.get("address")) for each in _list(service.get("outside")) if isinstance(each, Mapping)
        ),
        pods=tuple(_pod(each) for each in _list(service.get("allocations")) if isinstance(each, Mapping)),
        routes=tuple(_route(each) for each in _list(service.get("routes")) if isinstance(each, Mapping)),
        message=_text(service.get("message")) or _text(service.get("reason")),
        detail=_text(service.get("detail")),
        suggestion=_text(service.get("suggestion")),
        created_at=_text(service.get("created_at")) or None,
        changed_at=_text(service.get("changed_at")) or None,
        since=_text(service.get("since")) or None,
        due_at=_text(service.get("due_at")) or None,
    )


def _ports(ports: object) -> Iterator[tuple[str, int]]:
    """Yield name and number of each TCP port."""
    for each in _list(ports):
        if isinstance(each, Mapping) and each.get("protocol") == "tcp":
            number = _count(each.get("number"))
            if 0 < number <= _LARGEST_PORT:
                yield _text(each.get("name")), number


def _pod(pod: Mapping[str, Any]) -> Pod:
    is_current = pod.get("current", True) is not False
    return Pod(_text(pod.get("id")), _text(pod.get("status")), is_current, _count(pod.get("restarts")))


def _route(route: Mapping[str, Any]) -> Route:
    return Route(_text(route.get("url")), _text(route.get("problem")))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else 0
