"""From the bytes of a `.mill` file to its syntax, without the models of the spec."""

from typing import Final

from mill_api.limits import MILL_FILE_BYTES
from mill_language.diagnostics import InvalidConfig, locate
from mill_language.plain_syntax import read_plain
from mill_language.source import Source, Span
from mill_language.syntax import File, read_file

MAX_BYTES: Final = MILL_FILE_BYTES


def service_names(text: str | bytes) -> list[str]:
    """Return the names of the services in the order of the file, as far as they can be read. Never raises."""
    try:
        return read(as_source(text, "")).service_names()
    except InvalidConfig:
        return []


def as_source(text: str | bytes, filename: str) -> Source:
    """Return the text of a file with its name."""
    return Source(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text), filename)


def read(source: Source) -> File:
    """Read the syntax. Raises InvalidConfig for data that cannot be a `.mill` file at all."""
    refuse_other_data(source)
    return read_plain(source) or read_file(source)


def refuse_other_data(source: Source) -> None:
    """Raise InvalidConfig for data that cannot be a `.mill` file at all."""
    data = source.data
    if len(data) > MAX_BYTES:
        size = f"the file has {len(data):,} bytes; at most {MAX_BYTES:,} are read"
        raise _refusal(Source(data[:1], source.filename), 0, size, "is this a .mill file?")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refusal(source, error.start, "the file is not UTF-8", "save it as UTF-8") from None
    if data.startswith(b"\xef\xbb\xbf"):
        raise _refusal(source, 0, "unexpected byte order mark", "save the file as UTF-8 without a byte order mark")
    if (at := data.find(b"\0")) >= 0:
        raise _refusal(source, at, "unexpected NUL character", "is this a .mill file?")


def _refusal(source: Source, at: int, message: str, advice: str) -> InvalidConfig:
    return InvalidConfig([locate(source, Span(at, at + 1), message, advice=advice, parse_error=True)])
