"""The Kubernetes Secret of registry credentials that kubelets read: a JSON document, with an entry for each registry.

What others wrote into it stays as it is: entries of other registries, and keys that mill does not know.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, Field

from mill_api import names
from mill_objects.fields import mapping, text
from mill_objects.json import Json

TYPE: Final = "kubernetes.io/dockerconfigjson"
KEY: Final = ".dockerconfigjson"
MOST_REGISTRIES: Final = 100
DOCKER_HUB: Final = "docker.io"
_HUB_KEY: Final = "https://index.docker.io/v1/"
"""The key by which kubelets, and all of Docker's tools, find the credentials of Docker Hub."""
_HUB_NAMES: Final = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "hub.docker.com", _HUB_KEY})
_HOST: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?(:[0-9]{1,5})?(/[-a-z0-9._/]{1,200})?")


class UnreadableCredentials(ValueError):
    """The Secret is not of the type that kubelets read, or its document is no JSON object."""


class Registry(BaseModel):
    """A registry for which there are credentials, without the password."""

    host: str = Field(examples=["ghcr.io"])
    username: str | None = Field(description="The user; null if the entry has none.", examples=["shop-ci"])


def host_of(given: str) -> str | None:
    """Return a registry as image names have it: `ghcr.io`, `registry.example.com:5000/team`; None if it is none."""
    host = given.strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/")
    if host in _HUB_NAMES or f"https://{host}/" == _HUB_KEY:
        return DOCKER_HUB
    return host if _HOST.fullmatch(host) else None


def registries_of(secret: Mapping[str, Any]) -> list[Registry]:
    """Return the registries of a Secret, by host. Raise `UnreadableCredentials`."""
    entries = mapping(_document(secret), "auths")
    found = {host_of(str(key)) or str(key): _username(entries, key) for key in entries}
    return [Registry(host=host, username=username) for host, username in sorted(found.items())]


def with_registry(secret: Mapping[str, Any] | None, host: str, username: str, password: str) -> str:
    """Return the document with the credentials of a registry, encoded as the Secret has it.

    Raise `UnreadableCredentials`.
    """
    document = _document(secret or {})
    entry = {
        "username": username,
        "password": password,
        "auth": base64.b64encode(f"{username}:{password}".encode()).decode(),
    }
    return _encoded(document, {**_without(document, host), _key(host): entry})


def without_registry(secret: Mapping[str, Any], host: str) -> str | None:
    """Return the document without a registry, encoded; None if it has none. Raise `UnreadableCredentials`."""
    document = _document(secret)
    rest = _without(document, host)
    return None if len(rest) == len(mapping(document, "auths")) else _encoded(document, rest)


def new_registries_secret(namespace: str, encoded: str) -> Json:
    """Return the Secret with its first credentials."""
    meta = {
        "name": names.REGISTRIES_SECRET,
        "namespace": namespace,
        "labels": {names.LABEL_MANAGED_BY: names.MANAGED_BY},
    }
    return {"apiVersion": "v1", "kind": "Secret", "type": TYPE, "metadata": meta, "data": {KEY: encoded}}


def _key(host: str) -> str:
    return _HUB_KEY if host == DOCKER_HUB else host


def _without(document: Mapping[str, Any], host: str) -> Json:
    """Return the entries without those of a registry, which may have several names."""
    return {key: entry for key, entry in mapping(document, "auths").items() if host_of(str(key)) != host}


def _document(secret: Mapping[str, Any]) -> Json:
    data = mapping(secret, "data")
    if secret and secret.get("type", TYPE) != TYPE:
        raise UnreadableCredentials("it is not of the type kubernetes.io/dockerconfigjson")
    if KEY not in data:
        return {}
    try:
        document = json.loads(base64.b64decode(text(data, KEY)))
    except (binascii.Error, ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise UnreadableCredentials("its document is not a JSON object")  # whose text may have passwords
    return document


def _encoded(document: Mapping[str, Any], entries: Mapping[str, Any]) -> str:
    return base64.b64encode(json.dumps({**document, "auths": dict(entries)}).encode()).decode()


def _username(entries: Mapping[str, Any], key: str) -> str | None:
    entry = mapping(entries, key)
    if found := text(entry, "username"):
        return found
    try:
        name, separator, _ = base64.b64decode(text(entry, "auth")).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name if separator else None
