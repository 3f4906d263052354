"""Why a run has no lines to show: it never started, or its logs are gone with its pod."""

from mill_api.task_status import RunState
from mill_gateway.core.runs import RunView


def why_no_lines(run: RunView, *, has_pods: bool) -> str | None:
    """Return why no line of a run can be read; None if its program may have written none.

    The text has a short reason, as those of the original, and nothing of the evidence: reading logs is another right
    than reading the MillDeployment.
    """
    if run.started_at is None and run.exit_code is None and run.state is not RunState.SUCCEEDED:
        return f"run {run.id} {'never started' if _is_over(run) else 'has not started yet'}{_cause(run)}"
    if has_pods:
        return None
    return f"the logs of run {run.id} are gone with its pod: {_end(run)}"


def _is_over(run: RunView) -> bool:
    return run.status in ("stopped", "failed")


def _end(run: RunView) -> str:
    if run.state is RunState.SUCCEEDED:
        return "it succeeded"
    if run.state is RunState.FAILED:
        return f"it failed{_cause(run)}"
    return "it was stopped" if _is_over(run) else "Kubernetes starts another one"


def _cause(run: RunView) -> str:
    if run.message is None:
        return ""
    return f": {run.message} ({run.reason})" if run.reason else f": {run.message}"
