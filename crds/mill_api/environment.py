"""The texts of a service or task → those of its container: secrets and services by reference.

The operator reads no value of a secret: Kubernetes puts it in when the container starts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Protocol

from mill_api import names
from mill_api.endpoints import Endpoints, host_of
from mill_api.manifests import literal
from mill_api.references import (
    OPEN,
    Attribute,
    Literal,
    Part,
    SecretRef,
    ServiceRef,
    format_value,
    parse_value,
    parse_word,
)
from mill_objects.json import Json


class Texts(Protocol):
    """The fields of a service or task in which there may be references."""

    @property
    def env(self) -> dict[str, str]: ...
    @property
    def command(self) -> list[str] | None: ...
    @property
    def args(self) -> list[str] | None: ...
    @property
    def files(self) -> "Sequence[FileTexts]": ...


class FileTexts(Protocol):
    """The fields of a file in which there may be references."""

    @property
    def content(self) -> str | None: ...
    @property
    def secret(self) -> str | None: ...


def container_texts(program: Texts, *, namespace: str, endpoints: Endpoints) -> Json:
    """Return a container's `env`, `command` and `args`, as far as it has them. `endpoints` are those of all services.

    A value that is nothing but a secret is read from the Secret. A secret inside a longer text, or in a part of a
    command, gets a variable of its own, which the text then names.
    """
    writer = _Writer(namespace, endpoints, program.env)
    env = [writer.variable(name, value) for name, value in program.env.items()]
    words = {"command": writer.words(program.command or ()), "args": writer.words(program.args or ())}
    # A variable can refer only to those before it.
    found = {"env": [*writer.variables_of_secrets(), *env], **words}
    return {name: each for name, each in found.items() if each}


def with_port(env: Sequence[Json], port: int | None) -> list[Json]:
    """Return the environment of a service's container with its port in PORT."""
    if port is None:
        return list(env)
    return [*(entry for entry in env if entry["name"] != "PORT"), {"name": "PORT", "value": str(port)}]


def addresses(program: Texts) -> tuple[str, ...]:
    """Return the services whose addresses inside the cluster a service or task has, each once."""
    contents = chain.from_iterable(parse_word(file.content) for file in program.files if file.content)
    references = (part for part in chain(_parts(program), contents) if isinstance(part, ServiceRef))
    return tuple(dict.fromkeys(each.service for each in references if each.attribute is not Attribute.URL))


def first_secret(program: Texts) -> str | None:
    """Return the name of the first secret that a service or task refers to."""
    names_of_texts = (part.name for part in _parts(program) if isinstance(part, SecretRef))
    return next(chain(names_of_texts, (file.secret for file in program.files if file.secret)), None)


def content_text(content: str, *, namespace: str, endpoints: Endpoints) -> str:
    """Return the text of a file, with what its references to services stand for. A secret's stays as it is written:
    rules refuse it, since no value of one passes through the operator."""
    if OPEN not in content:
        return content
    parts = parse_word(content)
    return "".join(
        part.text
        if isinstance(part, Literal)
        else _of_service(part, namespace, endpoints)
        if isinstance(part, ServiceRef)
        else format_value([part])
        for part in parts
    )


def _parts(program: Texts) -> Iterator[Part]:
    yield from chain.from_iterable(map(parse_value, program.env.values()))
    yield from chain.from_iterable(map(parse_word, (*(program.command or ()), *(program.args or ()))))


@dataclass(slots=True)
class _Writer:
    """Writer of the texts of one container, with the variables that it adds for secrets."""

    namespace: str
    endpoints: Endpoints
    env: dict[str, str]
    helpers: dict[str, str] = field(default_factory=dict)
    """The variable of each secret, by the name of the secret."""
    free: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self.free = (helper for helper in map("MILL_SECRET_{}".format, count(1)) if helper not in self.env)

    def variable(self, name: str, value: str) -> Json:
        parts = parse_value(value)
        if len(parts) == 1 and isinstance(parts[0], SecretRef):
            return _from_secret(name, parts[0].name)
        return {"name": name, "value": self._text(parts)}

    def words(self, words: Sequence[str]) -> list[str]:
        return [self._text(parse_word(word)) for word in words]

    def variables_of_secrets(self) -> list[Json]:
        return [_from_secret(helper, secret) for secret, helper in self.helpers.items()]

    def _text(self, parts: Sequence[Part]) -> str:
        return "".join(map(self._part, parts))

    def _part(self, part: Part) -> str:
        match part:
            case SecretRef(name):
                if name not in self.helpers:
                    self.helpers[name] = next(self.free)
                return f"$({self.helpers[name]})"
            case ServiceRef():
                return literal(_of_service(part, self.namespace, self.endpoints))
            case Literal(text):
                return literal(text)


def _of_service(reference: ServiceRef, namespace: str, endpoints: Endpoints) -> str:
    """Return what a reference stands for. Only a command may have one that stands for nothing: it is text."""
    known = endpoints.get(reference.service)
    value = None if known is None else known.text(reference, host_of(reference.service, namespace))
    return format_value([reference]) if value is None else value


def _from_secret(name: str, secret: str) -> Json:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": names.SECRET_NAME, "key": secret}}}
