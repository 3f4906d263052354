"""The state that is kept of a MillDeployment between reconciliations. All of it may be lost at any moment.

The rollout's state is in the resource's status. Kept here is what the caches do not have yet (the status that was
written last, the operator's own writes of children), and what is expensive to work out (the desired state, without the
content of its objects).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

from pydantic import ValidationError

from mill_api.problems import Problem as SpecProblem
from mill_api.spec import MillDeploymentSpec
from mill_api.status import MillDeploymentStatus, StatusWarning
from mill_api.status_reading import read_status
from mill_api.validation import problems, unpermitted
from mill_objects.json import Json
from mill_operator.children.write_memory import WriteMemory
from mill_operator.core import limits
from mill_operator.core.objects.old_files import NOTHING_OLD, OldFiles
from mill_operator.core.objects.pods import RenderOptions
from mill_operator.core.objects.rendering import DesiredState, InvalidSpec, ParsedSpec
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment
from mill_operator.core.packed import Packed
from mill_operator.core.rollout.outside import refused_ports
from mill_operator.core.rollout.revisions import RevisionProblem
from mill_operator.core.rollout.warnings import accepted, spec_warnings
from mill_operator.core.verdicts.rule_input import Problem


class StatusMemory:
    """The newest status that was made, and the newest that the API server has; packed as text while they are equal."""

    def __init__(self, packed: Packed) -> None:
        self._packed = packed
        self._unpacked_pair: tuple[MillDeploymentStatus, MillDeploymentStatus] | None = None

    @property
    def latest(self) -> MillDeploymentStatus:
        """The newest status that was made."""
        return self._unpacked()[0]

    @property
    def written(self) -> MillDeploymentStatus:
        """The newest status that the API server has."""
        return self._unpacked()[1]

    @property
    def is_compact(self) -> bool:
        """Whether both are equal and packed: there is nothing to write."""
        return self._unpacked_pair is None

    def update(self, status: MillDeploymentStatus) -> None:
        """Set the newest status that was made."""
        self._unpacked_pair = status, self.written

    def mark_written(self, status: MillDeploymentStatus) -> None:
        """Set the newest status that the API server has."""
        if status != self.written:
            text = status.model_dump_json(by_alias=True, exclude_none=True, exclude_defaults=True)
            self._packed = Packed.of_text(text)
        self._unpacked_pair = self.latest, status

    def compact(self) -> None:
        """Keep only the packed text, if both are equal."""
        if self._unpacked_pair is not None and self._unpacked_pair[0] == self._unpacked_pair[1]:
            self._unpacked_pair = None

    def _unpacked(self) -> tuple[MillDeploymentStatus, MillDeploymentStatus]:
        if self._unpacked_pair is None:
            status = read_status(self._packed.value())
            self._unpacked_pair = status, status
        return self._unpacked_pair


@dataclass(slots=True)
class Memory:
    """The state of one MillDeployment."""

    uid: str
    statuses: StatusMemory
    writes: WriteMemory = field(default_factory=WriteMemory)
    former_tls: frozenset[str] = frozenset()
    """The services that keep the former name of their TLS Secret."""
    desired_for: tuple[int, frozenset[tuple[str, str]], frozenset[str]] | None = None
    """The generation, restarts and `former_tls` that `desired` was worked out for: most reconciliations change none."""
    desired: DesiredState | InvalidSpec | None = None
    warnings: tuple[StatusWarning, ...] = ()
    """The problems for which a new generation with this spec would be refused."""
    internal_errors: dict[str, str] = field(default_factory=dict)
    """Ids of the internal errors that are logged, by the service or task that they concern."""
    rollback_hashes: dict[tuple[str, str, str], str | None] = field(default_factory=dict)
    """Hashes of Deployments with the pod template of an older version, by service, that template's hash, and the
    desired Deployment's hash. None: the older version does not exist any more."""
    old_files: OldFiles = NOTHING_OLD
    revision_problem: RevisionProblem | None = None
    """Why the revision of the rollout could not be kept."""
    written_at: float = 0.0
    """When the last status write ended, on the monotonic clock."""
    write_seconds: float = 0.0
    """How long the last status write took."""

    @classmethod
    def of(cls, resource: ObservedMillDeployment) -> Self:
        """Return the state of a resource that is reconciled for the first time: only its status is known."""
        return cls(resource.uid, StatusMemory(resource.packed_status))

    @property
    def status(self) -> MillDeploymentStatus:
        """The newest status that was made."""
        return self.statuses.latest

    @status.setter
    def status(self, status: MillDeploymentStatus) -> None:
        self.statuses.update(status)

    @property
    def written(self) -> MillDeploymentStatus:
        """The newest status that the API server has."""
        return self.statuses.written

    def is_known(self, resource: ObservedMillDeployment) -> bool:
        """Return whether `desired` is the desired state of this generation, completely rendered."""
        is_incomplete = isinstance(self.desired, DesiredState) and self.desired.unrendered
        return not is_incomplete and self.desired_for == (
            resource.generation,
            resource.restarts,
            self.former_tls,
        )

    def desired_state(
        self, resource: ObservedMillDeployment, options: RenderOptions, max_spec_bytes: int
    ) -> DesiredState | InvalidSpec:
        """Return the desired state, or all problems of the spec."""
        if self.desired is not None and self.is_known(resource):
            return self.desired
        is_checked = self.desired_for is not None and self.desired_for[0] == resource.generation
        if self.desired is None or not (is_checked and isinstance(self.desired, InvalidSpec)):
            before = self.desired if isinstance(self.desired, DesiredState) else None
            spec = resource.spec
            refusal, warnings = "", self.warnings
            if not is_checked:
                was_accepted = accepted(self.written, resource.generation)
                too_large = _too_large(resource.packed_spec.size, max_spec_bytes)
                refusal, warnings = _check(spec, options, too_large, accepted=was_accepted)
            if refusal:
                self.desired = InvalidSpec(refusal)
            else:
                source = ParsedSpec(resource.owner, spec, dict(resource.restarts), options, self.former_tls)
                self.desired = source.desired(before)
            self.warnings = warnings
        self.desired_for = resource.generation, resource.restarts, self.former_tls
        return self.desired

    def forget_failures(self) -> None:
        """Forget why objects could not be written: a new request tries all of them again."""
        self.writes.problems.clear()
        self.rollback_hashes.clear()

    def task_problems(self) -> dict[str, Problem]:
        """Return why tasks have no CronJob, by their names."""
        if not isinstance(self.desired, DesiredState):
            return {}
        found = {name: Problem("internal", str(internal_error)) for name, internal_error in self.desired.tasks.items()}
        if self.writes.problems:
            cron_jobs = (child for child in self.desired.children if child.kind == "CronJob")
            problems = ((child.key.name, self.writes.problem(child)) for child in cron_jobs)
            found |= {name: problem for name, problem in problems if problem is not None}
        return found


def _check(
    spec: Json, options: RenderOptions, too_large: Iterable[SpecProblem], *, accepted: bool
) -> tuple[str, tuple[StatusWarning, ...]]:
    """Return why a spec is refused (empty if it is not), and the warnings of a spec that was accepted before."""
    try:
        read = MillDeploymentSpec.model_validate(spec)
    except ValidationError as error:
        return _problem_lines([f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]), ()
    found = [*problems(read), *unpermitted(read, options.permissions, restricted=options.restricted), *too_large]
    if not options.outside:
        found += refused_ports(read)
    if found and not accepted:
        return _problem_lines(list(map(str, found))), ()
    return "", spec_warnings(found)


def _too_large(size: int, limit: int) -> Iterator[SpecProblem]:
    if size > limit:
        message = f"it has {size:,} bytes as JSON, and this operator takes {limit:,} (its setting MILL_MAX_SPEC_BYTES)"
        yield SpecProblem("spec", message, "split it into several MillDeployments")


def _problem_lines(found: Sequence[str]) -> str:
    """Return a line for each problem, as far as the status has room for them."""
    lines: list[str] = []
    room = limits.SPEC_PROBLEMS_LENGTH
    for each in found[: limits.SPEC_PROBLEMS]:
        room -= len(each) + 1
        if room < 0 and lines:
            break
        lines.append(each if room >= 0 else each[: limits.SPEC_PROBLEMS_LENGTH])
    left = len(found) - len(lines)
    return "\n".join([*lines, *([f"and {left:,} more"] if left else [])])
