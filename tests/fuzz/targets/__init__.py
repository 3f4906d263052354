"""All targets, a file for each subject. What is new goes into its file's `TARGETS`, a new file into `SUBJECTS`."""

from typing import Final

from tests.fuzz.target import Target
from tests.fuzz.targets import (
    language,
    log_streams,
    notations,
    output,
    projections,
    recordings,
    redaction,
    resources,
    terminal,
)

SUBJECTS: Final = (redaction, projections, language, resources, notations, log_streams, output, terminal, recordings)
TARGETS: Final[tuple[Target, ...]] = tuple(target for subject in SUBJECTS for target in subject.TARGETS)
