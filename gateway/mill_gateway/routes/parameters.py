"""Parameters of several routes, and a check of all parameters."""

from collections import Counter
from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

from fastapi import Depends, Header, Path, Query, Request
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from mill_api.names import DEFAULT_NAME, DNS_LABEL
from mill_gateway.errors import bad_parameters
from mill_gateway.exceptions.requests import InvalidEventId
from mill_gateway.gateway import ReadyGateway
from mill_objects.key import Key


def each_once(request: Request) -> None:
    """Refuse a parameter that is given twice: one of them would be ignored."""
    counts = Counter(name for name, _ in request.query_params.multi_items())
    repeated = [name for name, count in counts.items() if count > 1]
    if repeated:
        raise bad_parameters(request, repeated, lambda name: f"query.{name[:40]}: given more than once")


def _text(given: str) -> str:
    try:
        given.encode()
    except UnicodeEncodeError:  # whose message would repeat the value
        raise PydanticCustomError("text", "should be text: it has half of a surrogate pair") from None
    return given


Text = Annotated[str, AfterValidator(_text)]
"""Text in a JSON body. JSON can have half of a surrogate pair, which is not text."""

Detail = Annotated[
    Literal["default", "full"], Query(description="`full` shows every phase, with codes, evidence and suggestions.")
]

Force = Annotated[
    bool,
    Query(
        description="Write even if Argo CD, Flux or Helm manages the resource. Its next sync or upgrade reverts that."
    ),
]

System = Annotated[
    bool, Query(description="Allow a namespace that is Kubernetes' own (`kube-…`), or that of Mill itself.")
]

Base = Annotated[
    str | None,
    Query(
        pattern=r"^[-.0-9A-Za-z]+$",
        max_length=100,
        description="`base` of a plan: write only if the resource is still the one that it was made from.",
    ),
]

LastEventId = Annotated[str | None, Header(description="Id of the last event that the client has.")]

_Parsed = TypeVar("_Parsed")


def parse_event_id(last_event_id: str, read: Callable[[str], _Parsed]) -> _Parsed:
    """Return the parsed header `Last-Event-ID`. `read` raises ValueError; raise `InvalidEventId` instead."""
    try:
        return read(last_event_id)
    except ValueError:
        raise InvalidEventId(f"Last-Event-ID {last_event_id[:100]!r} is not one of ours") from None


NamespaceName = Annotated[
    str | None,
    Query(pattern=DNS_LABEL, max_length=63, description="Namespace; the default is MILL_DEFAULT_NAMESPACE."),
]


def _namespace(gateway: ReadyGateway, namespace: NamespaceName = None) -> str:
    return namespace or gateway.settings.default_namespace


InNamespace = Annotated[str, Depends(_namespace)]
"""The namespace that a request is about, from `?namespace=`."""


OfDeployment = Annotated[
    str | None,
    Query(
        pattern=DNS_LABEL, max_length=63, description="Name of a MillDeployment; the default is all of the namespace."
    ),
]

OfService = Annotated[str | None, Query(max_length=63, description="Name of a service; the default is all of them.")]


def _target(
    namespace: InNamespace,
    name: Annotated[
        str, Query(pattern=DNS_LABEL, max_length=63, description="Name of the MillDeployment.")
    ] = DEFAULT_NAME,
) -> Key:
    return Key(namespace, name)


def _named(
    namespace: InNamespace,
    name: Annotated[
        str, Path(pattern=DNS_LABEL, max_length=63, description="Name of the MillDeployment.", examples=["mill"])
    ],
) -> Key:
    return Key(namespace, name)


Target = Annotated[Key, Depends(_target)]
"""The MillDeployment that a request is about, from `?name=` and `?namespace=`."""

Named = Annotated[Key, Depends(_named)]
"""The MillDeployment that the path names."""
