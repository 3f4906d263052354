"""YAML or JSON text as one tree of nodes with their places, and as a plain value.

A file may come from anywhere, so the cost of reading it is bounded: it is parsed once, event by event, and refused at
the first event beyond a limit. Anchors, aliases and merge keys (`<<`) are supported, as in kubectl; the limits count
what they expand to. Everything that JSON does not have is refused: other tags, keys that are not scalars, duplicate
keys. Timestamps are strings, as for kubectl.
"""

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import yaml

from mill_language import Diagnostic, InvalidConfig, Related
from mill_language.decode import MAX_DIAGNOSTICS

MAX_DEPTH: Final = 64
"""Maximum nesting of lists and maps; a MillDeployment has 7 levels, with its `managedFields` 14."""
MAX_VALUES: Final = 200_000
"""Maximum values and keys, counting what aliases and merge keys expand to."""
MAX_CHARACTERS: Final = 4 * 1024 * 1024
"""Maximum characters of all scalars, counting what aliases and merge keys expand to."""
MAX_DIRECTIVES: Final = 100
"""Maximum lines that begin with %: libyaml compares each `%TAG` with all others."""
LONGEST_NUMBER: Final = 100
"""Maximum characters of a number. Longer scalars are strings: parsing a number costs more than its length."""

# libyaml is 15 times as fast; PyYAML's own parser is the fallback.
_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE: Final[re.Pattern[str]] = yaml.reader.Reader.NON_PRINTABLE
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_TAG: Final = "tag:yaml.org,2002:"
_STRING, _MERGE, _INTEGER, _FLOAT = f"{_TAG}str", f"{_TAG}merge", f"{_TAG}int", f"{_TAG}float"
_SCALARS: Final = frozenset(_TAG + each for each in ("str", "int", "float", "bool", "null", "timestamp", "merge"))
_TYPED: Final = frozenset(_TAG + each for each in ("int", "float"))
_numbers: Final = yaml.constructor.SafeConstructor()


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a file, and its name."""

    filename: str
    text: str

    def diagnostic(
        self,
        mark: yaml.Mark | None,
        message: str,
        advice: str | None = None,
        *,
        path: str | None = None,
        others: Sequence[tuple[str, yaml.Mark]] = (),
    ) -> Diagnostic:
        """Return a problem at a mark, or at the beginning without one. `others` are places that explain it."""
        line, column = (1, 1) if mark is None else self._place(mark)
        related = tuple(Related(label, *self._place(other), *self._place(other)) for label, other in others)
        end = line, column + 1
        return Diagnostic(self.filename, line, column, *end, path=path, message=message, help=advice, related=related)

    def refuse(self, mark: yaml.Mark | None, message: str, advice: str | None = None) -> NoReturn:
        """Raise `InvalidConfig`."""
        raise InvalidConfig([self.diagnostic(mark, message, advice)]) from None

    def _place(self, mark: yaml.Mark) -> tuple[int, int]:
        """Return line and column as editors count them: YAML ends lines at more characters."""
        at = min(mark.index, len(self.text))
        return self.text.count("\n", 0, at) + 1, at - self.text.rfind("\n", 0, at)


@dataclass(frozen=True, slots=True)
class Document:
    """The document of a file."""

    text: Text
    root: yaml.Node
    """The tree of nodes with their places."""
    value: Any
    """The plain value: dicts, lists, strings, numbers, booleans and None."""


def read_document(data: bytes, filename: str) -> Document | None:
    """Read the one document of a file; None if it has none. Raise `InvalidConfig` with the place of the problem."""
    text = _decoded(data, filename)
    loader = _Loader(text.text)
    try:
        composer = _Composer(loader, text)
        root = composer.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        text.refuse(mark, f"{error.context + ': ' if error.context else ''}{error.problem}")
    except yaml.YAMLError as error:  # raised before there are places
        text.refuse(None, str(error))
    finally:
        loader.dispose()
    if composer.problems:
        raise InvalidConfig(composer.problems)
    return None if root is None else Document(text, root, _value(root, text))


def _decoded(data: bytes, filename: str) -> Text:
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, "replace").removeprefix("\ufeff")
        Text(filename, before).refuse(_mark(len(before)), "the file is not UTF-8", "save it as UTF-8")
    made = Text(filename, text)
    if (found := _UNPRINTABLE.search(text)) is not None:
        message = f"unexpected character U+{ord(found[0]):04X}: YAML has no control characters"
        made.refuse(_mark(found.start()), message, "is this a YAML file? in quotes, write \\uNNNN")
    if text.startswith("%") + text.count("\n%") > MAX_DIRECTIVES:
        made.refuse(_mark(text.find("%")), f"more than {MAX_DIRECTIVES} lines begin with %")
    return made


def _mark(at: int) -> yaml.Mark:
    return yaml.Mark("", at, 0, 0, None, 0)


class _Composer:
    """Makes nodes of events, as `yaml.compose` does, and counts."""

    def __init__(self, loader: Any, text: Text) -> None:
        self._loader = loader
        self._text = text
        self._anchors: dict[str, tuple[yaml.Node, int, int]] = {}
        """Anchored nodes, with the values and characters that they expand to."""
        self._open: set[str] = set()
        """Anchors of nodes that are not complete yet."""
        self._values = 0
        self._characters = 0
        self.problems: list[Diagnostic] = []
        """Problems that do not prevent reading the rest."""

    def document(self) -> yaml.Node | None:
        """Return the root of the first document, and refuse a second one."""
        loader = self._loader
        loader.get_event()  # the beginning of the stream
        if loader.check_event(yaml.StreamEndEvent):
            return None
        loader.get_event()  # the beginning of the document
        root = self._node(loader.get_event(), 1)
        loader.get_event()  # its end
        if not loader.check_event(yaml.StreamEndEvent):
            mark = loader.get_event().start_mark
            advice = "use `kubectl apply -f` for files with several objects"
            self._text.refuse(mark, "the file has more than one document; a deploy takes one MillDeployment", advice)
        return root

    def _count(self, mark: yaml.Mark, values: int, characters: int) -> None:
        self._values += values
        self._characters += characters
        if self._values > MAX_VALUES:
            message = f"the file has more than {MAX_VALUES:,} values, counting what aliases and merge keys expand to"
            self._text.refuse(mark, message, "check that this is a MillDeployment")
        if self._characters > MAX_CHARACTERS:
            message = f"the file has more than {MAX_CHARACTERS:,} characters, counting what aliases expand to"
            self._text.refuse(mark, message, "check that this is a MillDeployment")

    def _node(self, event: Any, depth: int) -> yaml.Node:
        """Return the node that begins with an event."""
        mark, anchor = event.start_mark, event.anchor
        if isinstance(event, yaml.AliasEvent):
            return self._alias(anchor, mark)
        if depth > MAX_DEPTH:
            self._text.refuse(
                mark, f"more than {MAX_DEPTH} nested lists and maps", "check that this is a MillDeployment"
            )
        if anchor is not None:
            if anchor in self._anchors or anchor in self._open:
                self._problem(mark, f"the anchor &{anchor} is defined twice")
            self._open.add(anchor)
        values, characters = self._values, self._characters
        self._count(mark, 1, 0)
        node: yaml.Node
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event, depth)
        else:
            node = self._mapping(event, depth)
        if anchor is not None:
            self._open.discard(anchor)
            self._anchors[anchor] = node, self._values - values, self._characters - characters
        return node

    def _alias(self, anchor: str, mark: yaml.Mark) -> yaml.Node:
        if anchor in self._open:
            self._text.refuse(mark, f"the alias *{anchor} refers to a node that contains it")
        if anchor not in self._anchors:
            self._text.refuse(mark, f"no anchor &{anchor} before this alias")
        node, values, characters = self._anchors[anchor]
        self._count(mark, values, characters)
        return node

    def _scalar(self, event: Any) -> yaml.ScalarNode:
        text, tag = event.value, event.tag
        self._count(event.start_mark, 0, len(text))
        if _SURROGATE.search(text) is not None:  # PyYAML's own parser lets it be escaped
            self._text.refuse(event.start_mark, "found invalid Unicode character escape code")
        if tag is None or tag == "!":
            short = len(text) <= LONGEST_NUMBER
            tag = self._loader.resolve(yaml.ScalarNode, text, event.implicit) if short else _STRING
        elif tag not in _SCALARS:
            self._text.refuse(event.start_mark, f"unsupported tag of a value: {tag}", "remove the tag")
        elif tag in _TYPED and len(text) > LONGEST_NUMBER:
            self._text.refuse(event.start_mark, f"the number has more than {LONGEST_NUMBER} characters")
        if tag not in _SCALARS:  # `=`, which has no meaning
            tag = _STRING
        return yaml.ScalarNode(tag, text, event.start_mark, event.end_mark)

    def _sequence(self, event: Any, depth: int) -> yaml.SequenceNode:
        if event.tag not in (None, "!", f"{_TAG}seq"):
            self._text.refuse(event.start_mark, f"unsupported tag of a list: {event.tag}", "remove the tag")
        items: list[yaml.Node] = []
        inner: Any
        while not isinstance(inner := self._loader.get_event(), yaml.SequenceEndEvent):
            items.append(self._node(inner, depth + 1))
        return yaml.SequenceNode(f"{_TAG}seq", items, event.start_mark, event.end_mark)

    def _mapping(self, event: Any, depth: int) -> yaml.MappingNode:
        if event.tag not in (None, "!", f"{_TAG}map"):
            self._text.refuse(event.start_mark, f"unsupported tag of a map: {event.tag}", "remove the tag")
        items: list[tuple[yaml.Node, yaml.Node]] = []
        seen: dict[tuple[str, str], yaml.Mark] = {}
        inner: Any
        while not isinstance(inner := self._loader.get_event(), yaml.MappingEndEvent):
            key = self._node(inner, depth + 1)
            if not isinstance(key, yaml.ScalarNode):
                self._text.refuse(inner.start_mark, "the key is a list or a map", "use a string as the key")
            first = seen.setdefault((key.tag, key.value), inner.start_mark)
            if first is not inner.start_mark:
                self._problem(inner.start_mark, f"`{key.value[:LONGEST_NUMBER]}` is defined twice", first)
            value = self._node(self._loader.get_event(), depth + 1)
            if key.tag == _MERGE:
                self._merged(value)
            items.append((key, value))
        return yaml.MappingNode(f"{_TAG}map", items, event.start_mark, event.end_mark)

    def _merged(self, value: yaml.Node) -> None:
        for each in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if not isinstance(each, yaml.MappingNode):
                self._text.refuse(each.start_mark, "`<<` merges a map, or a list of maps")

    def _problem(self, mark: yaml.Mark, message: str, first: yaml.Mark | None = None) -> None:
        if len(self.problems) < MAX_DIAGNOSTICS:
            others = [] if first is None else [("first here", first)]
            self.problems.append(self._text.diagnostic(mark, message, others=others))


def _value(node: yaml.Node, text: Text) -> Any:
    """Return the plain value of a node, whose depth and size the composer has limited."""
    if isinstance(node, yaml.ScalarNode):
        return _plain(node, text)
    if isinstance(node, yaml.SequenceNode):
        return [_value(each, text) for each in node.value]
    own: dict[Any, Any] = {}
    merged: dict[Any, Any] = {}
    for key, value in node.value:
        if key.tag == _MERGE:
            sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for each in reversed(sources):  # the first of several wins
                merged |= _value(each, text)
        else:
            own[_value(key, text)] = _value(value, text)
    return merged | own


def _plain(node: yaml.ScalarNode, text: Text) -> Any:
    name = node.tag.removeprefix(_TAG)
    try:
        match name:
            case "int":
                return _numbers.construct_yaml_int(node)
            case "float":
                return _numbers.construct_yaml_float(node)
            case "bool":
                return _numbers.bool_values[node.value.lower()]
            case "null":
                return None
    except (LookupError, ValueError):  # by an explicit tag: otherwise it would be a string
        text.refuse(node.start_mark, f"not a valid {name}")
    return node.value
