"""Lines of logs: which are shown, and what stands before them. Pure.

Where standard output is no terminal, a line is what the program wrote, as in the original, so that scripts can read it.
On a terminal the name of the pod stands before it, in a color of its own.
"""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mill_cli.output.text import one_line
from mill_objects.printable import visible

COLORS: Final = ("cyan", "green", "yellow", "magenta", "blue", "bold cyan", "bold green", "bold yellow")
LONGEST_SEARCHED: Final = 10_000
"""Characters of a line that a pattern is searched in: the pattern is the user's, the line is not."""


@dataclass(frozen=True, slots=True)
class LineStyle:
    """How lines are shown."""

    names_pods: bool = False
    """Whether the pod stands before a line."""
    names_services: bool = False
    """Whether the service does, as in the original's `--all`; the name of a pod begins with it."""
    pattern: re.Pattern[str] | None = None
    """What a line must have."""

    def shows(self, text: str) -> bool:
        """Whether a line is shown. Colors and invisible characters in it are not compared."""
        return self.pattern is None or self.pattern.search(visible(text[:LONGEST_SEARCHED])) is not None

    def label(self, data: Mapping[str, Any], name: str) -> str:
        """Return what stands before a line: the pod or the service, or nothing. `name` is what the user has named."""
        pod = one_line(str(data.get("alloc") or ""))
        if self.names_pods and pod and not is_only_pod(pod, name):
            return pod
        return one_line(name) if self.names_services else ""


def is_only_pod(pod: str, name: str) -> bool:
    """Whether a pod is the one that the name stands for: itself, or the pod of a run.

    The name of a run's pod has one part more than that of the run; that of a service's pod has two.
    """
    run, dash, suffix = pod.rpartition("-")
    return pod == name or (bool(dash) and run == name and bool(suffix))


def color_of(label: str) -> str:
    """Return the color of a pod or service: always the same one for a name."""
    return COLORS[zlib.crc32(label.encode(errors="replace")) % len(COLORS)]
