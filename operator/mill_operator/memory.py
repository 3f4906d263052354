"""What is remembered of a MillDeployment between passes. All of it may be lost at any line.

The rollout's state is in the resource's status. Kept here is what our watch does not know yet (the status that we wrote
last; our own writes to children), and what would only be worked out again (what a generation wants).
"""

from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import ValidationError

from mill_api.language.rules import problems
from mill_api.spec import MillDeploymentSpec
from mill_api.status import MillDeploymentStatus, StatusWarning
from mill_api.status_reading import read_status
from mill_operator.children import WriteMemory
from mill_operator.cluster import Parent
from mill_operator.core.objects.desired import Desired, desired
from mill_operator.core.objects.pods import Options
from mill_operator.core.rollout.warnings import accepted, spec_warnings
from mill_operator.core.verdicts.subject import Problem


@dataclass(slots=True)
class Memory:
    """One MillDeployment's."""

    uid: str
    status: MillDeploymentStatus
    """The newest that we made."""
    written: MillDeploymentStatus
    """The newest that the API server has."""
    writes: WriteMemory = field(default_factory=WriteMemory)
    asked: tuple[int, frozenset[tuple[str, str]]] | None = None
    """What `wanted` was worked out for: a pass for each event of a pod should not do it again."""
    wanted: Desired | str = ""
    warnings: tuple[StatusWarning, ...] = ()
    """What a new generation with that spec would be refused for."""
    faults: dict[str, str] = field(default_factory=dict)
    """Ids of the faults that are logged, by what cannot be rendered or judged for them."""
    templates: dict[tuple[str, str], dict[str, Any] | None] = field(default_factory=dict)
    """Pod templates of older versions that were looked up, by service and hash; None: there is none any more."""
    written_at: float = 0.0
    """When the last status write ended, on the monotonic clock; and how many seconds it took."""
    write_seconds: float = 0.0

    @classmethod
    def of(cls, parent: Parent) -> Self:
        """Begin with what the resource itself tells."""
        status = read_status(parent.status)
        return cls(parent.uid, status, status)

    def wanted_of(self, parent: Parent, options: Options) -> Desired | str:
        """Return what should exist, or what is wrong with the spec, all of it."""
        asked = (parent.generation, parent.restarts)
        faulty = isinstance(self.wanted, Desired) and self.wanted.unrendered
        if self.asked != asked or faulty:
            self.wanted, self.warnings = _wanted(parent, options, accepted=accepted(self.written, parent.generation))
            self.asked = asked
        return self.wanted

    def unspawnable(self) -> dict[str, Problem]:
        """Return the tasks whose CronJob could not be written."""
        if isinstance(self.wanted, str):
            return {}
        cron_jobs = (child for child in self.wanted.children if child.kind == "CronJob")
        problems = ((child.key.name, self.writes.problem(child)) for child in cron_jobs)
        unrendered = {name: Problem("internal", str(fault)) for name, fault in self.wanted.tasks.items()}
        return {name: problem for name, problem in problems if problem is not None} | unrendered


def _wanted(parent: Parent, options: Options, *, accepted: bool) -> tuple[Desired | str, tuple[StatusWarning, ...]]:
    """Return what should exist, and the warnings; or what is wrong with a spec that was not accepted before."""
    try:
        spec = MillDeploymentSpec.model_validate(parent.spec)
    except ValidationError as error:
        return "\n".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()), ()
    found = problems(spec)
    if found and not accepted:
        return "\n".join(map(str, found)), ()
    return desired(parent.owner, spec, dict(parent.restarts), options), spec_warnings(found)
