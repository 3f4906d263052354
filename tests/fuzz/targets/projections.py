"""Objects of Kubernetes, on their way into what operator and gateway keep of them: a target for each projection.

`tests.fuzz.projections` has them (`PROJECTIONS`: name, function of a body, a body that is right), and
`tests.fuzz.mutations` what is changed in a body (`mutated`).
"""

import copy
import importlib
import importlib.util
import random
from collections.abc import Callable, Iterable
from typing import Any, Final

from tests.fuzz.target import Target

Body = dict[str, Any]


def _made() -> Iterable[Target]:
    if not all(importlib.util.find_spec(f"tests.fuzz.{each}") for each in ("projections", "mutations")):
        return
    mutated = importlib.import_module("tests.fuzz.mutations").mutated
    for name, project, sample in importlib.import_module("tests.fuzz.projections").PROJECTIONS:
        yield _target(name, project, sample, mutated)


def _target(
    name: str, project: Callable[[Body], object], sample: Body, mutated: Callable[[random.Random, Body], Body]
) -> Target:
    def check(body: Body) -> None:
        project(body)  # total: whatever cannot be read is left out

    return Target(f"projection.{name}", lambda rng: mutated(rng, copy.deepcopy(sample)), check)


TARGETS: Final = tuple(_made())
