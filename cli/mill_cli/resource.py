"""A MillDeployment in YAML or JSON: its spec, or all problems with their places."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError

from mill_api import names
from mill_api.limits import MILL_FILE_BYTES
from mill_api.problems import Problem
from mill_api.spec import MillDeploymentSpec
from mill_api.validation import problems
from mill_cli.document import Document, Text, read_document
from mill_cli.foreign_files import recognize
from mill_language import Diagnostic, InvalidConfig, parse, render
from mill_language.decode import MAX_DIAGNOSTICS
from mill_language.diagnostics import did_you_mean
from mill_language.reporting import label_of_others

Path = Sequence[str | int]


@dataclass(frozen=True, slots=True)
class Resource:
    """A MillDeployment that was read from a file."""

    name: str | None
    namespace: str | None
    spec: MillDeploymentSpec
    lost: bool
    """Whether its metadata has more than name and namespace, which a deploy does not send."""
    places: "_Places"

    def as_mill(self) -> str:
        """Return it as a `.mill` file. Raise `InvalidConfig` if it is too large, or has two routes of one host."""
        text = render(self.spec)
        if (size := len(text.encode())) > MILL_FILE_BYTES:
            message = f"as a .mill file it has {size:,} bytes; a deploy takes at most {MILL_FILE_BYTES:,}"
            raise InvalidConfig([self.places.diagnostic(("spec",), message, "use `kubectl apply --server-side -f`")])
        try:
            parse(text)
        except InvalidConfig as error:
            raise InvalidConfig(_placed(error.diagnostics, self.spec, self.places)) from None
        return text


def read_resource(text: bytes, filename: str) -> Resource:
    """Read the one MillDeployment of a file. Raise `InvalidConfig`."""
    document = read_document(text, filename)
    if document is None:
        Text(filename, "").refuse(None, f"no document: expected a {names.KIND}")
    return _resource(document.value, _Places(document))


def _resource(document: Any, places: "_Places") -> Resource:
    if not isinstance(document, dict) or document.get("kind") != names.KIND:
        has_kind = isinstance(document, dict) and "kind" in document
        raise InvalidConfig([places.diagnostic(("kind",) if has_kind else (), *recognize(document))])
    if document.get("apiVersion") != names.API_VERSION:
        raise InvalidConfig([places.diagnostic(("apiVersion",), f"apiVersion must be {names.API_VERSION}")])
    metadata = document.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    spec = _spec(document.get("spec") or {}, places)
    name, namespace = (_text(metadata, key, places) for key in ("name", "namespace"))
    return Resource(name, namespace, spec, lost=bool(metadata.keys() - {"name", "namespace"}), places=places)


def _text(metadata: dict[Any, Any], key: str, places: "_Places") -> str | None:
    value = metadata.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidConfig([places.diagnostic(("metadata", key), "expected a string", "put the value in quotes")])
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
    found += _placed(problems(spec)[: MAX_DIAGNOSTICS - len(found)], spec, places)
    if found:
        raise InvalidConfig(found)
    return spec


def _placed(found: Iterable[Problem | Diagnostic], spec: MillDeploymentSpec, places: "_Places") -> list[Diagnostic]:
    """Return problems of a spec with their places in the file."""

    def step(path: str | None) -> Path:
        return ("spec", *_steps(path or "", spec))

    return [
        places.diagnostic(
            step(each.path),
            each.message,
            each.help,
            [(label_of_others(each), step(other)) for other in each.others] if isinstance(each, Problem) else (),
        )
        for each in found
    ]


def _unknown(given: Any, known: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the path of every unknown key: a misspelled one would silently have no effect."""
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
    """Yield the steps in the resource (`services`, 0, `env`, `A`) for the path of a problem (`service.web.env.A`)."""
    kind, _, rest = path.partition(".")
    programs: Sequence[Any] = spec.services if kind == "service" else spec.tasks
    for at, program in enumerate(programs):
        if rest == program.name or rest.startswith(f"{program.name}."):
            yield f"{kind}s"
            yield at
            yield from _inner(rest.removeprefix(program.name).removeprefix("."), program)
            return


def _inner(path: str, program: Any) -> Iterator[str | int]:
    """Yield the steps within a service or task; names of variables and hosts may have dots."""
    field, _, rest = path.partition(".")
    lists = {"volume": ("volumes", "name"), "route": ("routes", "host"), "file": ("files", "path")}
    if field not in lists:
        yield from filter(None, [field, rest])
        return
    key, label = lists[field]
    for at, each in enumerate(getattr(program, key, ())):
        name = getattr(each, label)
        if rest == name or rest.startswith(f"{name}."):
            yield key
            yield at
            yield from filter(None, [rest.removeprefix(name).removeprefix(".")])
            return


class _Places:
    """Places of the nodes in a file."""

    def __init__(self, document: Document) -> None:
        self._text = document.text
        self._tree = document.root

    def diagnostic(
        self, path: Path, message: str, advice: str | None = None, others: Iterable[tuple[str, Path]] = ()
    ) -> Diagnostic:
        """Return a problem at the place of a path; `others` are the labels and paths of places that explain it."""
        shown = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path).removeprefix(".")
        marked = [(label, self._mark(other)) for label, other in others]
        return self._text.diagnostic(self._mark(path), message, advice, path=shown or None, others=marked)

    def _mark(self, path: Path) -> yaml.Mark:
        """Return the place of a path, or of the nearest node that contains it."""
        mark: yaml.Mark
        node: yaml.Node | None
        mark, node = self._tree.start_mark, self._tree
        for step in path:
            key, node = _child(node, step)
            if key is None:
                break
            mark = key.start_mark
        return mark


def _child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node | None, yaml.Node | None]:
    """Return the node of a key or item, and the node of its value."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None, None
