"""A file as the request that deploys it, and its refusal with the places in the file."""

from pathlib import Path
from typing import Final

from mill_api.limits import MILL_FILE_BYTES
from mill_cli.connection.failures import Refused
from mill_cli.connection.streams import Request
from mill_cli.consent import Consent
from mill_cli.errors import CliError, Exit
from mill_cli.files import STDIN_NAME, File, InvalidFile, legible, shown
from mill_cli.options import Options
from mill_cli.output import screen

LONGEST_NAME: Final = 200
"""Characters of the name of a file that the gateway takes."""


def deploy_request(options: Options, file: File, consent: Consent) -> Request:
    """Return the request that deploys a file. Raise `CliError` if the file is a MillDeployment with problems."""
    text, identity = mill_text(options, file)
    return Request("POST", "/v1/deploy", identity | options.query | consent.query | _source(file), text)


def _source(file: File) -> dict[str, str]:
    """Return the query parameter with which history names the file: without its folder, which may name a person."""
    return {} if file.name == STDIN_NAME else {"from": legible(Path(file.name).name)[:LONGEST_NAME]}


def mill_text(options: Options, file: File) -> tuple[bytes, dict[str, str]]:
    """Return a file as the gateway takes it, and the name and namespace of a MillDeployment that has them.

    A file with variables, or with environments from elsewhere, is sent as the file that it becomes: the gateway reads
    no other files. Raise `CliError` if such a file, or a MillDeployment, has problems.
    """
    if file.is_resource:
        return _from_resource(options, file)
    return (_resolved(options, file) if file.may_be_resolved else file.text), {}


def with_places(error: Refused, file: File) -> CliError:
    """Return a refusal with the lines of the file that have problems, if this `mill` finds the same problems."""
    if error.status != 400 or "diagnostics" not in error.body:
        return error
    from mill_language import InvalidConfig  # noqa: PLC0415 - a deploy without problems needs no parser

    try:
        file.spec()
    except InvalidConfig as invalid:
        return InvalidFile(invalid, file)
    return error


def _resolved(options: Options, file: File) -> bytes:
    from mill_language import InvalidConfig, render  # noqa: PLC0415 - most files are sent without parsing them

    try:
        parsed = file.parsed
    except InvalidConfig as error:
        raise InvalidFile(error, file) from error
    if parsed.warnings and not options.quiet:
        colored = screen.colored_errors()
        screen.note(shown(InvalidConfig(parsed.warnings), file, color=colored), painted=colored)
    if not parsed.is_resolved:
        return file.text
    text = render(parsed.spec).encode()
    if len(text) > MILL_FILE_BYTES:
        most = f"a deploy takes at most {MILL_FILE_BYTES:,}"
        message = f"{legible(file.name)}: with all values it has {len(text):,} bytes; {most}"
        raise CliError(Exit.FAILED, message, "use `mill render FILE | kubectl apply --server-side -f -`")
    return text


def _from_resource(options: Options, file: File) -> tuple[bytes, dict[str, str]]:
    """Return a MillDeployment as a `.mill` file, which is what the gateway takes, and its name and namespace."""
    from mill_language import InvalidConfig  # noqa: PLC0415 - a `.mill` file is sent without parsing it

    try:
        resource = file.resource
        text = resource.as_mill()
    except InvalidConfig as error:
        raise InvalidFile(error, file) from error
    if resource.lost and not options.quiet:
        screen.note(
            f"note: {file.name}: only name and namespace of the metadata are deployed; `kubectl apply` uses all of it"
        )
    identity = {"name": resource.name, "namespace": resource.namespace}
    return text.encode(), {key: value for key, value in identity.items() if value}
