"""The section of docs/verdicts.md about what heals by itself."""

from collections.abc import Mapping, Sequence
from typing import Final

from tests.soak.healing.running import Outcome
from tests.soak.page import NOTHING, Section, of

HEADING: Final = "Faults that heal by themselves"
GREEN: Final = 2
"""The column of the green rollouts."""
NO_ROWS: Final[Mapping[str, list[str]]] = {}


def section(
    outcomes: Sequence[Outcome], names: Sequence[str], measured: str, before: Mapping[str, list[str]] = NO_ROWS
) -> Section:
    """Return the counts for each fault, in the order of the names, and their sum.

    Faults that were not measured keep the rows that they had before.
    """
    found = {name: [each for each in outcomes if each.scenario == name] for name in names}
    rows = [_row(name, found[name]) if found[name] else before.get(name, _row(name, [])) for name in names]
    counts = [tuple(map(int, row[GREEN].split(" of "))) for row in rows if row[GREEN] != NOTHING]
    everything = of(sum(green for green, _ in counts), sum(rollouts for _, rollouts in counts))
    return Section(
        HEADING,
        "Something fails for a while, and heals without anybody's help within the time that docs/failure-codes.md "
        "gives it. Each rollout is a service of its own; the faults of the node hit all rollouts of their row at once. "
        "A rollout is green if its stream ends with `done` and `success: true`, and has no `failed` event. "
        "*Suspect* counts the rollouts in which Mill saw the fault and said so. A fault that is measured again "
        "replaces its row.",
        ("fault", "is over after", "green", "suspect", "codes", "slowest"),
        [*rows, ["**all**", "", f"**{everything}**", "", "", ""]],
        measured,
    )


def _row(name: str, found: Sequence[Outcome]) -> list[str]:
    if not found:
        return [name, *[NOTHING] * 5]
    seconds = sorted({each.heal_seconds for each in found if each.heal_seconds})
    rollouts = [each.followed for each in found]
    codes = sorted({code for each in rollouts for code in each.suspected if code})
    return [
        name,
        " or ".join(f"{each:g}" for each in seconds) + " s" if seconds else NOTHING,
        of(sum(each.green for each in rollouts), len(rollouts)),
        of(sum(bool(each.suspected) for each in rollouts), len(rollouts)),
        ", ".join(f"`{each}`" for each in codes) or NOTHING,
        f"{max(each.seconds for each in rollouts):.0f} s",
    ]
