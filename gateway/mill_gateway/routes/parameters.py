"""Parameters that several routes take."""

from typing import Annotated, Literal

from fastapi import Depends, Path, Query
from pydantic import AfterValidator

from mill_api import names
from mill_api.key import Key
from mill_gateway.gateway import Here

_DNS_LABEL = names.VOLUME_NAME

Detail = Annotated[
    Literal["default", "full"], Query(description="`full` shows every phase, with codes, evidence and suggestions.")
]


def _namespace(
    gateway: Here,
    namespace: Annotated[
        str | None,
        Query(pattern=_DNS_LABEL, max_length=63, description="The namespace; the gateway's own if unset."),
    ] = None,
) -> str:
    return namespace or gateway.settings.namespace


InNamespace = Annotated[str, Depends(_namespace)]
"""The namespace that a request is about, from `?namespace=`."""


OfDeployment = Annotated[
    str | None,
    Query(pattern=_DNS_LABEL, max_length=63, description="Name of the MillDeployment; all of the namespace if unset."),
]


def _target(
    namespace: InNamespace,
    name: Annotated[
        str, Query(pattern=_DNS_LABEL, max_length=63, description="Name of the MillDeployment.")
    ] = names.DEFAULT_NAME,
) -> Key:
    return Key(namespace, name)


def _named(
    namespace: InNamespace,
    name: Annotated[str, Path(pattern=_DNS_LABEL, max_length=63, description="Name of the MillDeployment.")],
) -> Key:
    return Key(namespace, name)


Target = Annotated[Key, Depends(_target)]
"""The MillDeployment that a request is about, from `?name=` and `?namespace=`."""

Named = Annotated[Key, Depends(_named)]
"""The MillDeployment that the path names."""


def _whole(text: str) -> str:
    if not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text):
        raise ValueError("half a character (`\\ud800` to `\\udfff` alone) is no text")
    return text


Text = Annotated[str, AfterValidator(_whole)]
"""A text in JSON that can be written as UTF-8: JSON has escapes for more than that."""
