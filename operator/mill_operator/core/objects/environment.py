"""A service's environment → a container's: secrets and addresses by reference, so that no value passes through us."""

from collections.abc import Mapping
from itertools import count
from typing import Any

from mill_api import names
from mill_api.language.interpolation import AddressRef, SecretRef, parse_value
from mill_api.programs import literal

Json = dict[str, Any]


def environment(env: Mapping[str, str], *, namespace: str, ports: Mapping[str, int | None]) -> list[Json]:
    """Return a container's `env`.

    A value that is nothing but a secret is read from the Secret. A secret inside a longer text gets a variable of
    its own, which the text then names: Kubernetes puts it in when the container starts.
    """
    entries: list[Json] = []
    helpers: dict[str, str] = {}
    free = (helper for helper in map("MILL_SECRET_{}".format, count(1)) if helper not in env)
    for name, value in env.items():
        parts = parse_value(value)
        if len(parts) == 1 and isinstance(parts[0], SecretRef):
            entries.append(_from_secret(name, parts[0].name))
            continue
        text = ""
        for part in parts:
            if isinstance(part, SecretRef):
                if part.name not in helpers:
                    helpers[part.name] = next(free)
                text += f"$({helpers[part.name]})"
            elif isinstance(part, AddressRef):
                text += literal(_address(part.service, namespace, ports))
            else:
                text += literal(part.text)
        entries.append({"name": name, "value": text})
    # A variable can name only those before it.
    return [*(_from_secret(helper, secret) for secret, helper in helpers.items()), *entries]


def secrets_in(env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the secrets that an environment refers to, each once."""
    refs = (part.name for value in env.values() for part in parse_value(value) if isinstance(part, SecretRef))
    return tuple(dict.fromkeys(refs))


def _address(service: str, namespace: str, ports: Mapping[str, int | None]) -> str:
    host = f"{service}.{namespace}.svc"
    port = ports.get(service)
    return host if port is None else f"{host}:{port}"


def _from_secret(name: str, secret: str) -> Json:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": names.SECRET_NAME, "key": secret}}}
