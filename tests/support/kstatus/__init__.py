"""What kstatus, the library by which Flux and others read resources, computes of objects: the real one, in Go."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hack import paths
from hack.commands import run
from hack.toolchain.sources import compiled


@dataclass(frozen=True, slots=True)
class Verdict:
    """What it says of one object."""

    status: str
    """`InProgress`, `Failed`, `Current`, `Terminating`, `NotFound` or `Unknown`."""
    message: str


def kstatus(objects: Iterable[dict[str, Any]]) -> list[Verdict]:
    """Have objects judged, in their order."""
    program = compiled(Path(__file__).parent, paths.BIN)
    told = run(program, stdin="".join(f"{json.dumps(each)}\n" for each in objects))
    return [Verdict(**json.loads(line)) for line in told.splitlines()]
