"""Objects of Kubernetes, on their way into what operator and gateway keep of them: a target for each projection."""

import contextlib
import re
from typing import Final

from mill_objects.fields import Unreadable
from tests.fuzz.mutations import Json, mutated
from tests.fuzz.projections import PROJECTIONS, Projection
from tests.fuzz.target import Target


def _target(projection: Projection) -> Target:
    def check(body: Json) -> None:
        with contextlib.suppress(Unreadable):  # which leaves out this object, and is told
            projection.project(body)

    name = re.sub(r"[^a-z]+", "-", projection.name.lower()).strip("-")
    return Target(f"projection-{name}", lambda rng: mutated(rng, projection.body), check)


TARGETS: Final = tuple(map(_target, PROJECTIONS))
