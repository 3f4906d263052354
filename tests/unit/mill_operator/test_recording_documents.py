"""Files of recordings: what is read, and what is refused, with its place."""

import json
import tracemalloc

import pytest

from mill_operator.recordings import documents
from mill_operator.recordings.documents import MAX_DEPTH, read_documents
from mill_operator.recordings.errors import RecordingError

BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b]\n"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", []),
        ("---\n", [None]),
        ("a: 1\n---\nb: [x, '1', null, yes, 1.5, 2026-01-31T12:00:00Z]\n", None),
        ('{"a": 1}', [{"a": 1}]),
        ('{"a": 1}\n{"b": 2}\n', [{"a": 1}, {"b": 2}]),
        ("\ufeffa: 1", [{"a": 1}]),
        ("{a: 1, b: [c]}", [{"a": 1, "b": ["c"]}]),
        ("a: " + "9" * 200, [{"a": "9" * 200}]),
        ("a: !!python/object:os.system x", [{"a": "x"}]),
        ("a: 0b, b: <<", None),
    ],
)
def test_a_file_has_documents(text: str, values: list[object] | None) -> None:
    if values is None and text.startswith("a: 1"):
        values = [{"a": 1}, {"b": ["x", "1", None, True, 1.5, "2026-01-31T12:00:00Z"]}]
    if values is None:
        with pytest.raises(RecordingError):
            read_documents(text.encode(), "file")
    else:
        assert read_documents(text.encode(), "file") == values


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (BOMB, "file:2:8: aliases (*name) are not read: write the value again"),
        (b"a: [", "file:2:1: neither YAML nor JSON: did not find expected node content"),
        (b"{\n a", "file:3:1: neither YAML nor JSON: did not find expected ',' or '}'"),
        (b"\xff\xfe\x00", "file: not UTF-8 (byte 0): save it as UTF-8"),
        (b"a: \x00b", "file: neither YAML nor JSON: unacceptable character"),
        (b"%TAG ! x\n--- a\n", "file: a line begins with %: YAML directives are not read"),
        (b"? [a]\n: b\n", "file:1:3: the key is a list or a map"),
        (b"[" * 100_000, f"file: more than {MAX_DEPTH} nested lists and maps"),
        (b"[" * 100 + b"]" * 100, f"file: more than {MAX_DEPTH} nested lists and maps"),
        (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, f"file: more than {MAX_DEPTH} nested lists and maps"),
        (b"- " * 100 + b"a", f"file:1:129: more than {MAX_DEPTH} nested lists and maps"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(data: bytes, message: str) -> None:
    with pytest.raises(RecordingError) as caught:
        read_documents(data, "file")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_the_number_of_values_is_bounded(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setattr(documents, "MAX_VALUES", 1000)
    text = json.dumps([0] * 2000) if form == "json" else "- 0\n" * 2000
    with pytest.raises(RecordingError, match="file: more than 1,000 values: record fewer objects at once"):
        read_documents(text.encode(), "file")


def test_a_bomb_costs_no_memory() -> None:
    lines = ["a0: &a0 [" + ",".join(["x"] * 100) + "]"]
    lines += [f"a{n}: &a{n} [" + ",".join([f"*a{n - 1}"] * 100) + "]" for n in range(1, 10)]
    tracemalloc.start()
    with pytest.raises(RecordingError, match="aliases"):
        read_documents("\n".join(lines).encode(), "file")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000
