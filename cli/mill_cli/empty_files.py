"""Files without any service or task, whose deploy would remove everything."""

import re
from typing import TYPE_CHECKING, Final

from mill_cli.errors import CliError, Exit
from mill_cli.files import STDIN_NAME, File, legible

if TYPE_CHECKING:
    from mill_language import Diagnostic

MESSAGE: Final = "no service and no task: a deploy of this file removes everything that is deployed"
_BLANK: Final = re.compile(rb"(?:\s|#[^\n]*|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)*+")
"""Blanks and comments of a `.mill` file."""


def refuse_empty(file: File) -> None:
    """Raise `CliError` for a file with blanks and comments only, or a MillDeployment without any service or task.

    A `.mill` file is not parsed for this. The gateway refuses one that has no service in any other form.
    """
    if is_blank(file.text) if not file.is_resource else _has_nothing(file):
        source = "the command that writes it" if file.name == STDIN_NAME else "the file"
        raise CliError(
            Exit.FAILED,
            f"{legible(file.name)}: {MESSAGE}",
            f"check {source}; if that is meant, use --allow-empty",
            kind="empty_mill_file",
        )


def empty_file(file: File) -> "Diagnostic":
    """Return the problem of a file without any service or task, at its beginning."""
    from mill_language import Diagnostic  # noqa: PLC0415 - a `.mill` file is sent without parsing it

    advice = "add a service or a task; if nothing is meant to stay, use --allow-empty"
    return Diagnostic(file.name, 1, 1, 1, 1, None, MESSAGE, advice)


def is_blank(text: bytes) -> bool:
    """Whether a `.mill` file has blanks and comments only."""
    return _BLANK.fullmatch(text) is not None


def _has_nothing(file: File) -> bool:
    from mill_language import InvalidConfig  # noqa: PLC0415 - a `.mill` file is sent without parsing it

    try:
        spec = file.spec()
    except InvalidConfig:
        return False  # which is reported as such
    return not spec.services and not spec.tasks
