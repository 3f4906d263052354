"""A service's environment → a container's: secrets and addresses by reference, so that the operator reads no value."""

from collections.abc import Mapping
from itertools import count

from mill_api import names
from mill_api.manifests import literal
from mill_api.references import AddressRef, SecretRef, parse_value
from mill_objects.json import Json


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
        texts: list[str] = []
        for part in parts:
            if isinstance(part, SecretRef):
                helper = helpers.get(part.name)
                if helper is None:
                    helper = helpers[part.name] = next(free)
                texts.append(f"$({helper})")
            elif isinstance(part, AddressRef):
                texts.append(literal(_address(part.service, namespace, ports)))
            else:
                texts.append(literal(part.text))
        entries.append({"name": name, "value": "".join(texts)})
    # A variable can refer only to those before it.
    return [*(_from_secret(helper, secret) for secret, helper in helpers.items()), *entries]


def addresses(env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the services whose addresses an environment has, each once."""
    refs = (part.service for value in env.values() for part in parse_value(value) if isinstance(part, AddressRef))
    return tuple(dict.fromkeys(refs))


def first_secret(env: Mapping[str, str]) -> str | None:
    """Return the name of the first secret that an environment refers to."""
    refs = (part.name for value in env.values() for part in parse_value(value) if isinstance(part, SecretRef))
    return next(refs, None)


def _address(service: str, namespace: str, ports: Mapping[str, int | None]) -> str:
    host = f"{service}.{namespace}.svc"
    port = ports.get(service)
    return host if port is None else f"{host}:{port}"


def _from_secret(name: str, secret: str) -> Json:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": names.SECRET_NAME, "key": secret}}}
