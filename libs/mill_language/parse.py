"""The parser: text to syntax, to fields, to a checked spec; or to every problem of the text."""

from pydantic import ValidationError

from mill_api.spec import MillDeploymentSpec
from mill_language.decode import MAX_DIAGNOSTICS, decode
from mill_language.diagnostics import Diagnostic, InvalidConfig, locate
from mill_language.reporting import report_models, report_problems, unchecked
from mill_language.source import Source, Span
from mill_language.syntax import File, read_file

MAX_BYTES = 256 * 1024
"""The limit of `kubectl apply` for a resource: nothing larger is of use in the cluster."""


def parse(text: str | bytes, *, filename: str = "<mill>") -> MillDeploymentSpec:
    """Return the spec of a `.mill` file. Raises InvalidConfig with all of its problems."""
    source = _source(text, filename)
    file = _read(source)
    decoded = decode(file, source)
    if not decoded.diagnostics:
        # The common case: everything was decoded. The models check it as they check a resource.
        try:
            spec = MillDeploymentSpec.model_validate(decoded.fields)
        except ValidationError as error:
            report_problems(decoded, unchecked(decoded.fields), file)
            if not decoded.diagnostics:
                report_models(decoded, error)
            raise InvalidConfig(_in_order(decoded.diagnostics)) from None
        report_problems(decoded, spec, file)
        if not decoded.diagnostics:
            return spec
    elif len(decoded.diagnostics) < MAX_DIAGNOSTICS:
        report_problems(decoded, unchecked(decoded.fields), file)
    raise InvalidConfig(_in_order(decoded.diagnostics))


def service_names(text: str | bytes) -> list[str]:
    """Return the names of the services in the order of the file, as far as they can be read. Never raises."""
    try:
        return _read(_source(text, "")).service_names()
    except InvalidConfig:
        return []


def _source(text: str | bytes, filename: str) -> Source:
    return Source(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text), filename)


def _read(source: Source) -> File:
    """Read the syntax. Raises InvalidConfig for data that cannot be a `.mill` file at all."""
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
    return read_file(source)


def _refusal(source: Source, at: int, message: str, advice: str) -> InvalidConfig:
    return InvalidConfig([locate(source, Span(at, at + 1), message, advice=advice, parse_error=True)])


def _in_order(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    return sorted(diagnostics, key=lambda diagnostic: (diagnostic.line, diagnostic.column))
