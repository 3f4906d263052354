"""The Kubernetes Secret that holds mill's secrets, a key each."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from mill_api import names
from mill_objects.json import Json


class NotText(ValueError):
    """A value that is not UTF-8, so that JSON cannot hold it."""


def value_of(secret: Mapping[str, Any], name: str) -> str | None:
    """Return a value; None if there is none of that name. Raise `NotText`."""
    data = secret.get("data") or {}
    if name not in data:
        return None
    try:
        return base64.b64decode(data[name]).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise NotText from None  # whose message would show the value


def with_value(name: str, value: str) -> Json:
    """Return the merge patch that sets a value."""
    return {"data": {name: base64.b64encode(value.encode()).decode()}}


def without(name: str, version: str) -> Json:
    """Return the merge patch that takes a value away from the Secret as it was at `version`."""
    return {"metadata": {"resourceVersion": version}, "data": {name: None}}


def new_secret(namespace: str, name: str, value: str) -> Json:
    """Return the Secret with its first value."""
    meta = {
        "name": names.SECRET_NAME,
        "namespace": namespace,
        "labels": {names.LABEL_MANAGED_BY: names.MANAGED_BY},
    }
    return {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": meta, **with_value(name, value)}
