"""What the tests of a pair ended with, read from pytest's JUnit reports."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.matrix.slices import SLICES, slice_of


@dataclass
class Count:
    """The tests of one slice, by name. What has failed in any phase has failed."""

    passed: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    skipped: set[str] = field(default_factory=set)

    @property
    def whole(self) -> int:
        return len(self.passed | self.failed | self.skipped)

    def __str__(self) -> str:
        if not self.whole:
            return "-"
        good = len(self.passed - self.failed)
        return f"{good} of {self.whole}" + (f", {len(self.skipped)} skipped" if self.skipped else "")


def counted(reports: Iterable[str]) -> dict[str, Count]:
    """Return the counts of JUnit reports by slice."""
    counts = {name: Count() for name in SLICES}
    for report in reports:
        # A report that our own pytest has just written.
        for case in ET.fromstring(report).iter("testcase"):  # noqa: S314
            found = slice_of(case.get("classname", ""))
            if not found:
                continue
            count, name = counts[found], case.get("name", "")
            if case.find("failure") is not None or case.find("error") is not None:
                count.failed.add(name)
            elif case.find("skipped") is not None:
                count.skipped.add(name)
            else:
                count.passed.add(name)
    return counts


def notes(counts: dict[str, Count]) -> str:
    """Return what did not pass, by name; a dash if everything did."""
    failed = sorted(name for count in counts.values() for name in count.failed)
    skipped = sorted(name for count in counts.values() for name in count.skipped - count.failed)
    parts = [f"{word}: {', '.join(names)}" for word, names in (("failed", failed), ("skipped", skipped)) if names]
    missing = [name for name, count in counts.items() if not count.whole]
    parts += [f"not run: {', '.join(missing)}"] if missing else []
    return "; ".join(parts) or "-"


def is_good(counts: dict[str, Count]) -> bool:
    """Whether each slice was run and nothing in it failed."""
    return all(count.whole and not count.failed for count in counts.values())


def kept(file: Path) -> dict[str, Count]:
    """Return the counts that were kept of slices that ran before."""
    counts = {name: Count() for name in SLICES}
    found = json.loads(file.read_text()) if file.exists() else {}
    return counts | {name: Count(*map(set, parts)) for name, parts in found.items() if name in SLICES}


def keep(file: Path, counts: dict[str, Count]) -> None:
    """Keep counts, for a run of other slices."""
    parts = {name: [sorted(each.passed), sorted(each.failed), sorted(each.skipped)] for name, each in counts.items()}
    file.write_text(json.dumps(parts))
