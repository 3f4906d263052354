"""Objects as nobody would write them: parts of a good one are taken away, replaced, doubled, or swapped for others.

`mutated` needs nothing but a `random.Random`: one seed gives the same objects on every machine.
"""

from collections.abc import Iterator
from random import Random
from typing import Any, Final

from mill_objects.json import Json

TIMES: Final = (
    "2026-01-31T12:00:00Z",
    "2026-01-31T12:00:00.123456789Z",
    "2026-01-31T12:00:00,5+23:59",
    "2026-01-31T12:00:00",
    "2026-01-31",
    "0001-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59-12:00",
    "12026-01-31T12:00:00Z",
    "2026-02-30T12:00:00Z",
    "2026-01-31T23:59:60Z",
    "20260131T120000Z",
    "2026-W05-6",
)
QUANTITIES: Final = (
    "+1",
    "-1",
    "+1e3",
    "1E",
    "1e",
    ".",
    "+",
    "Ki",
    "1.5u",
    "1e2147483647",
    "1e99999999999999999999",
    "9Ei",
)
TEXTS: Final = (
    "",
    " ",
    "0",
    "-1",
    "True",
    "null",
    "{",
    "\x00\x1b[2J\u202e\u009b\n",
    "half of a character: \ud800",
    "\U0010ffff",
    "http://" * 20,
    "pwd" * 50,
    "x" * 5000,
)
NUMBERS: Final = (0, -1, 1, 2**31, 2**63 - 1, -(2**63), 2**64, 10**400, 0.0, -0.5, 1e308, float("inf"), float("nan"))
ODD: Final[tuple[Any, ...]] = (
    *(None, True, False, [], {}, [None], [[]], [{}], {"": None}, {"name": None}),
    *TIMES,
    *QUANTITIES,
    *TEXTS,
    *NUMBERS,
)
"""What a part is replaced by."""
MOST: Final = 6
"""Changes of one object."""


def mutated(rng: Random, body: Json) -> Any:
    """Return a copy of an object with some parts as nobody would write them. `body` itself stays as it is."""
    whole = {"": _copy(body)}
    for _ in range(rng.randint(1, MOST)):
        places = list(_places(whole))
        parent, key = places[rng.randrange(len(places))]
        _change(rng, parent, key, places)
    return whole.get("")


def _change(rng: Random, parent: Any, key: Any, places: list[tuple[Any, Any]]) -> None:
    """Change one place: what is at `key` of `parent`."""
    what = rng.randrange(6)
    if what == 0 and key != "":
        del parent[key]
    elif what == 1:
        other, its = places[rng.randrange(len(places))]
        if isinstance(other, list) and its >= len(other):
            return
        parent[key] = _copy(other[its])
    elif what == 2 and isinstance(parent, list):
        parent.append(_copy(parent[key]))
    elif what == 3 and isinstance(parent, dict) and key != "":
        parent[rng.choice(TEXTS)] = parent.pop(key)
    elif what == 4 and isinstance(parent[key], str | int | float):
        found = parent[key]
        parent[key] = [found] if rng.randrange(2) else str(found) if not isinstance(found, str) else {found: found}
    else:
        parent[key] = _copy(rng.choice(ODD))


def _places(whole: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each place of an object: what holds it, and its key or position there."""
    waiting = [whole]
    while waiting:
        found = waiting.pop()
        for key, part in found.items() if isinstance(found, dict) else enumerate(found):
            yield found, key
            if isinstance(part, dict | list):
                waiting.append(part)


def _copy(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _copy(each) for key, each in part.items()}
    return [_copy(each) for each in part] if isinstance(part, list) else part
