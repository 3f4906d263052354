"""A spec that was accepted before a rule existed → warnings, where a new generation would be refused.

An upgrade of the operator must not stop running services whose spec did not change. The next change of the spec is
refused, with the same problems.
"""

from collections.abc import Sequence

from mill_api.problems import Problem
from mill_api.rollout_ids import generation_of
from mill_api.status import SPEC_WARNING, MillDeploymentStatus, StatusWarning
from mill_operator.core import limits


def accepted(status: MillDeploymentStatus, generation: int) -> bool:
    """Return whether a status says that this generation's rollout was started, and not refused."""
    rollout = status.rollout
    if rollout is None or status.observed_generation != generation or generation_of(rollout.id) != generation:
        return False
    never_started = rollout.error is not None and rollout.finished_at == rollout.started_at
    return rollout.refused is None and not never_started


def spec_warnings(problems: Sequence[Problem]) -> tuple[StatusWarning, ...]:
    """Return the warnings of an accepted spec with these problems."""
    return tuple(
        StatusWarning(service=_service(each), code=SPEC_WARNING, message=str(each)[: limits.SPEC_WARNING_LENGTH])
        for each in problems[: limits.SPEC_WARNINGS]
    )


def _service(problem: Problem) -> str | None:
    kind, _, rest = problem.path.partition(".")
    return rest.partition(".")[0] if kind == "service" else None
