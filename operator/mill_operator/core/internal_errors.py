"""An unexpected error of mill itself → what is said of it, which is never its own text: that may have foreign words.

An error has an id, made of where it was raised: the same fault has the same id in every pass and in every operator of
that version, so that a status that says it does not change, and whoever reports it can name it.
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
    """Its class, such as OverflowError."""
    id: str
    details: str = field(default="", compare=False, repr=False)
    """Its traceback, for the log alone."""

    def __str__(self) -> str:
        return f"{self.kind}, id {self.id}"


def internal_error_of(error: BaseException, kind: str = "") -> InternalError:
    """Describe an error that was raised. `kind` says more than its class, if something does."""
    kind = kind or type(error).__name__
    places = [
        (PurePath(frame.f_code.co_filename).name, frame.f_code.co_qualname, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    details = "".join(traceback.format_exception(error)).rstrip()
    return InternalError(kind, digest([kind, places]), details[-limits.TRACEBACK_LENGTH :])
