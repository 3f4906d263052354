"""The parser: text to syntax, to fields, to a checked spec; or to every problem of the text."""

from pydantic import ValidationError

from mill_api.spec import MillDeploymentSpec
from mill_language.decode import MAX_DIAGNOSTICS, decode
from mill_language.diagnostics import Diagnostic, InvalidConfig
from mill_language.reading import as_source, read
from mill_language.reporting import report_models, report_problems, unchecked


def parse(text: str | bytes, *, filename: str = "<mill>") -> MillDeploymentSpec:
    """Return the spec of a `.mill` file. Raises InvalidConfig with all of its problems."""
    source = as_source(text, filename)
    file = read(source)
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


def _in_order(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    return sorted(diagnostics, key=lambda diagnostic: (diagnostic.line, diagnostic.column))
