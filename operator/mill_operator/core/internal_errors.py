"""An unexpected error of Mill itself → its description. That never has the error's own text, which may be foreign text.

An error has an id, made of the place where it was raised: the same error has the same id in every reconciliation and in
every operator of that version, so that the status does not change, and a bug report can name the id.
"""

import traceback
from dataclasses import dataclass, field
from pathlib import PurePath

from mill_operator.core import limits
from mill_operator.core.digest import digest


@dataclass(frozen=True, slots=True)
class InternalError:
    """An unexpected error."""

    kind: str
    """The error's class, such as OverflowError."""
    id: str
    details: str = field(default="", compare=False, repr=False)
    """The traceback, for the log alone."""

    def __str__(self) -> str:
        return f"{self.kind}, id {self.id}"


def internal_error_of(error: BaseException, kind: str = "") -> InternalError:
    """Return the description of an error that was raised. `kind` may say more than the error's class."""
    kind = kind or type(error).__name__
    places = [
        (PurePath(frame.f_code.co_filename).name, frame.f_code.co_qualname, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    details = "".join(traceback.format_exception(error)).rstrip()
    return InternalError(kind, digest([kind, places]), details[-limits.TRACEBACK_LENGTH :])
