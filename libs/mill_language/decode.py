"""Decoding of syntax nodes into the fields of the spec, by the table in `schema`; every problem has its place."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from mill_language.diagnostics import Diagnostic, did_you_mean, locate, nearest
from mill_language.other_words import instead_of, missing
from mill_language.refusals import TABLE, Expected, Wrong, block, wrong_type
from mill_language.schema import FILE, Attr, Nested, Shape, Table, Tables, key_of
from mill_language.source import Source, Span
from mill_language.syntax import Attribute, Block, Body, Constant, File, Sequence

MAX_DIAGNOSTICS = 100
"""Number of diagnostics after which decoding stops."""

Fields = dict[str, object]


class TooManyProblems(Exception):
    """The file has `MAX_DIAGNOSTICS` problems."""


@dataclass(slots=True)
class Decoded:
    """The fields that were read, the problems, and where each path stands in the file."""

    source: Source
    fields: Fields = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    warnings: list[Diagnostic] = field(default_factory=list)
    places: dict[str, Span] = field(default_factory=dict)
    misspelled: set[str] = field(default_factory=set)
    """The paths that unknown names probably mean."""
    unknown: set[str] = field(default_factory=set)
    """The paths of unknown names."""

    def report(
        self,
        span: Span,
        message: str,
        *,
        path: str | None = None,
        advice: str | None = None,
        related: Iterable[tuple[str, Span]] = (),
        parse_error: bool = True,
    ) -> None:
        """Add a diagnostic. Raises TooManyProblems."""
        self.add(locate(self.source, span, message, path=path, advice=advice, related=related, parse_error=parse_error))

    def warn(self, path: str, message: str, *, advice: str) -> None:
        """Add a warning, unless there are too many."""
        if len(self.warnings) < MAX_DIAGNOSTICS:
            found = locate(self.source, self.places[path], message, path=path, advice=advice)
            self.warnings.append(replace(found, severity="warning"))

    def add(self, diagnostic: Diagnostic) -> None:
        """Add a diagnostic. Raises TooManyProblems."""
        self.diagnostics.append(diagnostic)
        if len(self.diagnostics) >= MAX_DIAGNOSTICS:
            raise TooManyProblems


@dataclass(frozen=True, slots=True)
class _Scope:
    """One body while it is decoded: its path, its fields so far, and the first place of each name."""

    path: str
    fields: Fields = field(default_factory=dict)
    seen: dict[str, Span] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Labeled:
    """A block with its label, in either spelling."""

    label: str
    label_span: Span
    body: Body
    header: Span


@dataclass(frozen=True, slots=True)
class Decoder:
    """Decoder of bodies by their shapes, for one file."""

    out: Decoded
    whole: bool

    def file(self, file: File) -> Fields:
        """Decode the body of a whole file."""
        return self.body(file.body, FILE, "", Span(0, 0))

    def body(self, body: Body, shape: Shape, path: str, header: Span) -> Fields:
        """Decode a body by its shape. Items that cannot be decoded are reported and left out."""
        scope = _Scope(path)
        for item in body.items:
            row = shape.fields.get(item.name)
            where = f"{path}{item.name}"
            if isinstance(row, Attr) and row.blocks is not None and _is_block(item):
                row = row.blocks
            if row is None:
                self._report_unknown(item, shape, path)
            elif isinstance(row, Nested) and row.label is not None:
                self._read_labeled(item, row, scope)
            elif isinstance(row, Tables):
                self._read_labeled_table(item, row, scope)
            elif item.name in scope.seen:
                self._report_duplicate(item.name_span, item.name, scope.seen[item.name], where)
            else:
                scope.seen[item.name] = item.name_span
                self.out.places[where] = item.name_span
                key = key_of(item.name, row)
                for value in self._read(item, row, where):
                    scope.fields[key] = value
        self._report_missing(shape, scope, header)
        return scope.fields

    def _read(self, item: Attribute | Block, row: Attr | Table | Nested, where: str) -> Iterator[object]:
        """Yield the value of an item, or nothing."""
        if isinstance(row, Attr):
            yield from self._read_attribute(item, row, where)
            return
        if isinstance(item, Block):
            if item.labels:
                self.out.report(item.labels[0][1], f"`{item.name}` takes no label", path=where)
            body = item.body
        elif isinstance(item.value, Body):
            body = item.value
        elif isinstance(item.value, Constant) and item.value.value is None and isinstance(row, Nested) and row.nullable:
            return
        else:
            expected = TABLE if isinstance(row, Table) else block(row.shape.name)
            self._report_wrong_type(item, expected, row, where)
            return
        header = item.header if isinstance(item, Block) else item.name_span
        yield (
            self._read_table(body, row, where)
            if isinstance(row, Table)
            else self.body(body, row.shape, f"{where}.", header)
        )

    def _read_attribute(self, item: Attribute | Block, row: Attr, where: str) -> Iterator[object]:
        if isinstance(item, Block):
            self.out.report(
                item.header, f"`{item.name}` is an attribute", path=where, advice=f"write `{item.name} = {row.example}`"
            )
            return
        if row.nullable and isinstance(item.value, Constant) and item.value.value is None:
            return
        self.out.places[where] = item.value.span
        if isinstance(item.value, Sequence):
            self.out.places.update((f"{where}.{index}", each.span) for index, each in enumerate(item.value.items))
        if isinstance(item.value, Body):
            entries = (each for each in item.value.items if isinstance(each, Attribute))
            self.out.places.update((f"{where}.{each.name}", each.value.span) for each in entries)
        try:
            yield row.read(item.value)
        except Wrong as wrong:
            self._report_wrong(wrong, item, where)

    def _report_wrong_type(self, item: Attribute, expected: Expected, row: Table | Nested, where: str) -> None:
        self._report_wrong(wrong_type(item.value, expected, f"write `{row.example}`"), item, where)

    def _report_wrong(self, wrong: Wrong, item: Attribute, where: str) -> None:
        named = wrong.message.startswith("{name}")
        message = wrong.message.replace("{name}", item.name, 1) if named else wrong.message
        span = wrong.span or item.value.span
        found = locate(self.out.source, span, message, path=where, advice=wrong.advice, parse_error=wrong.parse_error)
        self.out.add(replace(found, wire=wrong.wire))

    def _read_table(self, body: Body, row: Table | Tables, path: str) -> dict[str, object]:
        values: dict[str, object] = {}
        seen: dict[str, Span] = {}
        for item in body.items:
            where = f"{path}.{item.name}"
            if isinstance(item, Block):
                self.out.report(
                    item.header, f"`{item.name}` is a value", path=where, advice=f'write `{item.name} = "…"`'
                )
                continue
            if item.name in seen:
                self._report_duplicate(item.name_span, item.name, seen[item.name], where)
                continue
            seen[item.name] = item.name_span
            self.out.places[where] = item.value.span
            try:
                values[item.name] = row.read(item.value)
            except Wrong as wrong:
                self._report_wrong(wrong, item, where)
        return values

    def _read_labeled(self, item: Attribute | Block, row: Nested, scope: _Scope) -> None:
        """Read `route "host" { … }`, or all of `route = { "host" = { … } }`."""
        where = f"{scope.path}{item.name}"
        if isinstance(item, Block):
            if len(item.labels) != 1:
                self._report_label_count(item, row, where)
                return
            label, span = item.labels[0]
            self._decode_labeled(_Labeled(label, span, item.body, item.header), row, where, scope)
            return
        if not isinstance(item.value, Body):
            self._report_wrong_type(item, TABLE, row, where)
            return
        for entry in item.value.items:
            if isinstance(entry, Attribute) and isinstance(entry.value, Body):
                labeled = _Labeled(entry.name, entry.name_span, entry.value, entry.name_span)
                self._decode_labeled(labeled, row, where, scope)
            elif isinstance(entry, Attribute):
                self._report_wrong_type(entry, block(row.shape.name), row, where)

    def _read_labeled_table(self, item: Attribute | Block, row: Tables, scope: _Scope) -> None:
        """Read `env "name" { … }`."""
        where = f"{scope.path}{item.name}"
        if not isinstance(item, Block) or len(item.labels) != 1:
            message = (
                f"`{item.name}` needs a label here"
                if not isinstance(item, Block) or not item.labels
                else (f"`{item.name}` takes one label")
            )
            self.out.report(item.name_span, message, path=where, advice=f"write `{row.example}`")
            return
        (label, span) = item.labels[0]
        path = f"{where}.{label}"
        first = scope.seen.get(path)
        if first is not None:
            self._report_duplicate(span, f'{item.name} "{label}"', first, path)
            return
        scope.seen[path] = self.out.places[path] = span
        items = scope.fields.setdefault(row.key, [])
        if isinstance(items, list):
            items.append({"name": label, "env": self._read_table(item.body, row, path)})

    def _decode_labeled(self, block: _Labeled, row: Nested, where: str, scope: _Scope) -> None:
        path = f"{where}.{block.label}"
        first = scope.seen.get(path)
        if first is not None:
            self._report_duplicate(block.label_span, f'{row.shape.name} "{block.label}"', first, path)
            return
        scope.seen[path] = self.out.places[path] = block.label_span
        read = {row.label or "": block.label, **self.body(block.body, row.shape, f"{path}.", block.header)}
        items = scope.fields.setdefault(row.key or row.shape.name, [])
        if isinstance(items, list):
            items.append(read)

    def _report_label_count(self, item: Block, row: Nested, where: str) -> None:
        advice = f"give it one name: `{row.example}`"
        if row.attribute:
            advice += f", or write `{row.attribute}`"
        if item.labels:
            self.out.report(item.labels[1][1], f"`{item.name}` takes one label", path=where, advice=advice)
            return
        found = locate(
            self.out.source, item.name_span, f"`{item.name}` needs a label", path=where, advice=advice, parse_error=True
        )
        first = next((entry.value for entry in item.body.items if isinstance(entry, Attribute)), None)
        wire = wrong_type(first, block(row.shape.name)).wire if first is not None else None
        self.out.add(replace(found, wire=wire))

    def _report_unknown(self, item: Attribute | Block, shape: Shape, path: str) -> None:
        kind = "block" if isinstance(item, Block) else "attribute"
        inside = "" if shape is FILE else f" in `{shape.name}`"
        advice = missing(item.name, shape.name)
        if advice is None and (meant := nearest(item.name, shape.fields)):
            self.out.misspelled.add(f"{path}{meant}")
        advice = advice or instead_of(item.name, shape.fields) or did_you_mean(item.name, shape.fields)
        advice = advice or (
            f"known {'are' if len(shape.fields) > 1 else 'is'} {', '.join(f'`{name}`' for name in shape.fields)}"
        )
        name = item.name if len(item.name) < 100 else item.name[:100] + "…"
        where = f"{path}{name}"
        self.out.unknown.add(where)
        self.out.report(item.name_span, f"unknown {kind} `{name}`{inside}", path=where, advice=advice)

    def _report_duplicate(self, span: Span, name: str, first: Span, where: str) -> None:
        shown = name if name.endswith('"') else f"`{name}`"
        self.out.report(span, f"{shown} is defined twice", path=where, related=(("first here", first),))

    def _report_missing(self, shape: Shape, scope: _Scope, header: Span) -> None:
        if not self.whole:  # it may stand on a line that was skipped
            return
        missing: set[str] = set()
        for name, row in shape.demanding:
            if row.required and not {name, *row.alternatives} & scope.seen.keys():
                missing.add(name)
                path = scope.path.removesuffix(".")
                self.out.report(header, f"missing field `{name}`", path=path, advice=_advice_to_add(name, row, shape))
            if name in scope.seen and row.needs and not set(row.needs) & (scope.seen.keys() | missing):
                advice = f"add `{row.needs[0]} = {shape.fields[row.needs[0]].example}`"
                where = f"{scope.path}{name}"
                message = f"`{name}` needs {_either(row.needs)}"
                self.out.report(scope.seen[name], message, path=where, advice=advice, parse_error=False)


def _is_block(item: Attribute | Block) -> bool:
    """Whether an item is a block, in either spelling."""
    return isinstance(item, Block) or isinstance(item.value, Body)


def _advice_to_add(name: str, row: Attr, shape: Shape) -> str:
    *others, last = [f"`{each} = {shape.fields[each].example}`" for each in (name, *row.alternatives)]
    return f"add {', '.join(others)} or {last}" if others else f"add {last}"


def _either(names: tuple[str, ...]) -> str:
    *others, last = [f"`{name}`" for name in names]
    return f"{', '.join(others)} or {last}" if others else last
