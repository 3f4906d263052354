"""A MillDeployment in YAML or JSON → its spec, or everything that is wrong with it and where."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml
from pydantic import ValidationError

from mill_api import names
from mill_api.language import Diagnostic, InvalidConfig
from mill_api.language.decode import MAX_DIAGNOSTICS
from mill_api.language.diagnostics import did_you_mean
from mill_api.language.rules import problems
from mill_api.spec import MillDeploymentSpec
from mill_cli.document import diagnostic, read_document

Path = Sequence[str | int]
_STEP: Final = re.compile(r"[^.\[\]]+")


@dataclass(frozen=True, slots=True)
class Resource:
    """What a file says."""

    name: str | None
    namespace: str | None
    spec: MillDeploymentSpec
    lost: bool
    """Whether its metadata has more than that, which a deploy does not send."""


def read_resource(text: bytes, filename: str) -> Resource:
    """Read the one MillDeployment of a file. Raise `InvalidConfig`."""
    document = read_document(text, filename)
    if document is None:
        raise InvalidConfig([diagnostic(filename, None, f"the file has no document, and no {names.KIND}")])
    return _resource(document.value, _Places(filename, document.root))


def _resource(document: Any, places: "_Places") -> Resource:
    if not isinstance(document, dict) or document.get("kind") != names.KIND:
        raise InvalidConfig([places.diagnostic(("kind",), f"not a {names.KIND}")])
    if document.get("apiVersion") != names.API_VERSION:
        raise InvalidConfig([places.diagnostic(("apiVersion",), f"apiVersion must be {names.API_VERSION}")])
    metadata = document.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    spec = _spec(document.get("spec") or {}, places)
    name, namespace = (_text(metadata, key, places) for key in ("name", "namespace"))
    return Resource(name, namespace, spec, lost=bool(metadata.keys() - {"name", "namespace"}))


def _text(metadata: dict[Any, Any], key: str, places: "_Places") -> str | None:
    value = metadata.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidConfig([places.diagnostic(("metadata", key), "this is no text", "put it in quotes")])
    return value


def _spec(given: Any, places: "_Places") -> MillDeploymentSpec:
    try:
        spec = MillDeploymentSpec.model_validate(given)
    except ValidationError as error:
        raise InvalidConfig(
            places.diagnostic(("spec", *each["loc"]), each["msg"].removeprefix("Value error, "))
            for each in error.errors(include_url=False, include_input=False)[:MAX_DIAGNOSTICS]
        ) from None
    known = spec.model_dump(mode="json", by_alias=True)
    unknown = itertools.islice(_unknown(given, known), MAX_DIAGNOSTICS)
    found = [places.diagnostic(("spec", *path), "unknown field", advice) for path, advice in unknown]
    broken = problems(spec)[: MAX_DIAGNOSTICS - len(found)]
    found += [places.diagnostic(("spec", *_steps(each.path, spec)), each.message, each.help) for each in broken]
    if found:
        raise InvalidConfig(found)
    return spec


def _unknown(given: Any, known: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the path of every key that the API does not know: a misspelt one would silently do nothing."""
    if isinstance(given, list) and isinstance(known, list):
        for at, (inner, inner_known) in enumerate(zip(given, known, strict=True)):
            yield from _unknown(inner, inner_known, (*path, at))
    elif isinstance(given, dict) and isinstance(known, dict) and path[-1:] != ("env",):
        for key, inner in given.items():
            if key in known:
                yield from _unknown(inner, known[key], (*path, key))
            else:
                yield (*path, key), did_you_mean(str(key), known)


def _steps(path: str, spec: MillDeploymentSpec) -> Iterator[str | int]:
    """Turn a problem's path (`service.web.env.A`) into that of the resource (`services`, 0, `env`, `A`)."""
    kind, name, *rest = _STEP.findall(path)
    programs: Sequence[Any] = spec.services if kind == "service" else spec.tasks
    yield f"{kind}s"
    yield next(at for at, each in enumerate(programs) if each.name == name)
    yield from rest


class _Places:
    """Where things are in a file."""

    def __init__(self, filename: str, tree: yaml.Node) -> None:
        self._filename = filename
        self._tree = tree

    def diagnostic(self, path: Path, message: str, advice: str | None = None) -> Diagnostic:
        """Say what is wrong with what is at a path, or with the nearest thing around it."""
        mark: yaml.Mark | None
        node: yaml.Node | None
        mark, node = self._tree.start_mark, self._tree
        for step in path:
            key, node = _child(node, step)
            if key is None:
                break
            mark = key.start_mark
        shown = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path).removeprefix(".")
        return diagnostic(self._filename, mark, message, advice, path=shown or None)


def _child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node | None, yaml.Node | None]:
    """Return the node that names a part of another, and the part."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None, None
