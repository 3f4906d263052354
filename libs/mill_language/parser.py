"""The parser: text to syntax, to fields, to a checked spec; or to every problem of the text."""

from dataclasses import dataclass

from pydantic import ValidationError

from mill_api.spec import MillDeploymentSpec
from mill_language.command_warnings import warn_of_text
from mill_language.declarations import Environments, resolve_variables
from mill_language.decode import MAX_DIAGNOSTICS, Decoded, Decoder, TooManyProblems
from mill_language.diagnostics import Diagnostic, InvalidConfig
from mill_language.file_contents import FileContents
from mill_language.inputs import NO_INPUTS, Inputs
from mill_language.reading import as_source, read
from mill_language.reporting import report_models, report_problems, unchecked
from mill_language.source import Source
from mill_language.syntax import File


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """A `.mill` file that was read."""

    spec: MillDeploymentSpec
    warnings: tuple[Diagnostic, ...]
    """What is valid and may be a mistake."""
    is_resolved: bool
    """Whether it has variables, shared environments or texts of other files: others can read the spec, not its text."""


def parse(text: str | bytes, *, filename: str = "<mill>") -> MillDeploymentSpec:
    """Return the spec of a `.mill` file that needs nothing from outside. Raises InvalidConfig with all its problems."""
    return parse_file(text, filename=filename).spec


def parse_file(text: str | bytes, *, filename: str = "<mill>", inputs: Inputs = NO_INPUTS) -> ParsedFile:
    """Return a `.mill` file with what it gets from outside.

    Raises InvalidConfig with all of its problems, and UnknownVariables.
    """
    source = as_source(text, filename)
    file = read(source)
    decoded, resolved, has_shared = _decode(file, source, inputs)
    spec = _checked(decoded, resolved)
    warn_of_text(decoded, spec)
    return ParsedFile(spec, tuple(_in_order(decoded.warnings)), has_shared or resolved is not file)


def _decode(file: File, source: Source, inputs: Inputs) -> tuple[Decoded, File, bool]:
    """Return the fields of a file, the file with its variables resolved, and whether anything else was resolved."""
    decoded = Decoded(source)
    resolved, has_shared = file, False
    try:
        for problem in file.problems:
            decoded.report(problem.span, problem.message, advice=problem.advice, related=problem.related)
        resolved = resolve_variables(file, decoded, inputs)
        decoded.fields = Decoder(decoded, whole=file.whole).file(resolved)
        has_shared = Environments(decoded, inputs).merge()
        has_shared = FileContents(decoded, inputs).resolve() or has_shared
    except TooManyProblems:
        pass
    return decoded, resolved, has_shared


def _checked(decoded: Decoded, file: File) -> MillDeploymentSpec:
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
