"""YAML or JSON → plain values, within bounds: a recording comes from anywhere.

Data is refused at the first event beyond a limit. Aliases are refused: kubectl writes none, and what they expand to has
no bound. Times stay texts.
"""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import yaml

from mill_operator.recordings.errors import RecordingError

MAX_BYTES: Final = 64 * 1024 * 1024
"""Bytes of all files of a recording together: as JSON, some 10,000 pods."""
MAX_VALUES: Final = 2_000_000
"""Values and keys of a file."""
MAX_DEPTH: Final = 64
"""Nested lists and maps. A pod has 11, and a list and a frame are around it."""
LONGEST_NUMBER: Final = 100
"""Characters of a number. Longer ones are texts: their cost is more than their length."""

_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is 15 times as fast
_TAG: Final = "tag:yaml.org,2002:"
_constructor: Final = yaml.constructor.SafeConstructor()
_resolver: Final[Any] = yaml.resolver.Resolver()
_DIRECTIVE: Final = re.compile(r"(?:\A|\n)%")


def read_documents(data: bytes, name: str) -> list[Any]:
    """Return the documents of a file. Raise `RecordingError` with the place of what is wrong."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecordingError(f"{name}: not UTF-8 (byte {error.start:,}): save it as UTF-8") from None
    if text.lstrip()[:1] in ("{", "["):
        try:
            return list(_json_documents(text, name))
        except ValueError as error:
            if isinstance(error, RecordingError):
                raise
            # YAML may begin like JSON; its message has the place
    return _yaml_documents(text, name)


def _json_documents(text: str, name: str) -> Iterator[Any]:
    decoder, at = json.JSONDecoder(), 0
    if text.count(",") + text.count("[") + text.count("{") > MAX_VALUES:
        raise _too_many(name)
    try:
        while (at := _skip_blanks(text, at)) < len(text):
            value, at = decoder.raw_decode(text, at)
            _check_depth(value, name)
            yield value
    except RecursionError:
        raise _too_deep(name) from None


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _check_depth(value: Any, name: str) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.values()
            elif isinstance(each, list):
                inner += each
        if not inner:
            return
        level = [each for each in inner if isinstance(each, dict | list)]
    if level:
        raise _too_deep(name)


def _yaml_documents(text: str, name: str) -> list[Any]:
    if _DIRECTIVE.search(text):
        raise RecordingError(f"{name}: a line begins with %: YAML directives are not read")
    try:
        loader = _Loader(text)
    except yaml.YAMLError as error:
        raise RecordingError(f"{name}: neither YAML nor JSON: {_one_line(str(error))}") from None
    try:
        return _Builder(loader, name).documents()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise RecordingError(f"{name}{where}: neither YAML nor JSON: {error.problem}") from None
    except yaml.YAMLError as error:
        raise RecordingError(f"{name}: neither YAML nor JSON: {_one_line(str(error))}") from None
    finally:
        loader.dispose()


class _Builder:
    """Makes values of the events of a parser. A loop, not a recursion, so that no depth costs a stack."""

    def __init__(self, loader: Any, name: str) -> None:
        self._loader = loader
        self._name = name
        self._documents: list[Any] = []
        self._open: list[list[Any] | dict[Any, Any]] = []
        """The lists and maps that are not complete, the innermost last."""
        self._keys: list[Any] = []
        """For each of them the key that has no value yet."""
        self._values = 0

    def documents(self) -> list[Any]:
        """Return the values of all documents."""
        while True:
            event = self._loader.get_event()
            if isinstance(event, yaml.ScalarEvent):
                self._add(_scalar(event), event)
            elif isinstance(event, yaml.MappingStartEvent):
                self._begin({}, event)
            elif isinstance(event, yaml.SequenceStartEvent):
                self._begin([], event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._open.pop()
                self._keys.pop()
            elif isinstance(event, yaml.AliasEvent):
                raise self._refusal(event, "aliases (*name) are not read: write the value again")
            elif isinstance(event, yaml.StreamEndEvent):
                return self._documents

    def _begin(self, value: list[Any] | dict[Any, Any], event: Any) -> None:
        self._add(value, event)
        if len(self._open) == MAX_DEPTH:
            raise self._refusal(event, f"more than {MAX_DEPTH} nested lists and maps")
        self._open.append(value)
        self._keys.append(_NO_KEY)

    def _add(self, value: Any, event: Any) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            raise _too_many(self._name)
        if not self._open:
            self._documents.append(value)
            return
        into = self._open[-1]
        if isinstance(into, list):
            into.append(value)
        elif self._keys[-1] is _NO_KEY:
            if isinstance(value, dict | list):
                raise self._refusal(event, "the key is a list or a map")
            self._keys[-1] = value
        else:
            into[self._keys[-1]] = value
            self._keys[-1] = _NO_KEY

    def _refusal(self, event: Any, message: str) -> RecordingError:
        mark = event.start_mark
        return RecordingError(f"{self._name}:{mark.line + 1}:{mark.column + 1}: {message}")


_NO_KEY: Final = object()


def _scalar(event: Any) -> Any:
    plain, text = event.implicit[0], event.value
    if not plain or event.tag is not None or len(text) > LONGEST_NUMBER:
        return text
    return _plain(text)


@lru_cache(maxsize=10_000)
def _plain(text: str) -> Any:
    """Return the value of a scalar without quotes."""
    tag = _resolver.resolve(yaml.ScalarNode, text, (True, False))
    node = yaml.ScalarNode(tag, text)
    try:
        match tag.removeprefix(_TAG):
            case "int":
                return _constructor.construct_yaml_int(node)
            case "float":
                return _constructor.construct_yaml_float(node)
            case "bool":
                return _constructor.bool_values[text.lower()]
            case "null":
                return None
    except (LookupError, ValueError):
        pass
    return text


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _too_many(name: str) -> RecordingError:
    return RecordingError(f"{name}: more than {MAX_VALUES:,} values: record fewer objects at once")


def _too_deep(name: str) -> RecordingError:
    return RecordingError(f"{name}: more than {MAX_DEPTH} nested lists and maps")
