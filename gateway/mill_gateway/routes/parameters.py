"""Query parameters that several routes take."""

from typing import Annotated, Literal

from fastapi import Depends, Query, Request

from mill_api import names
from mill_api.key import Key

_DNS_LABEL = names.VOLUME_NAME

Detail = Annotated[
    Literal["default", "full"], Query(description="`full` shows every phase, with codes, evidence and suggestions.")
]


def _target(
    request: Request,
    name: Annotated[
        str, Query(pattern=_DNS_LABEL, max_length=63, description="Name of the MillDeployment.")
    ] = names.DEFAULT_NAME,
    namespace: Annotated[
        str | None, Query(pattern=_DNS_LABEL, max_length=63, description="Its namespace; the gateway's own if unset.")
    ] = None,
) -> Key:
    return Key(namespace or request.app.state.settings.namespace, name)


def _named(request: Request, name: str, namespace: Annotated[str | None, Query(pattern=_DNS_LABEL)] = None) -> Key:
    return Key(namespace or request.app.state.settings.namespace, name)


Target = Annotated[Key, Depends(_target)]
"""The MillDeployment that a request is about, from `?name=` and `?namespace=`."""

Named = Annotated[Key, Depends(_named)]
"""The MillDeployment that the path names."""
