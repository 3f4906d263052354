"""What a run of a task is, from what the gateway reports of it. Pure."""

import shlex
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from mill_cli.errors import CliError, Exit
from mill_cli.options import Options
from mill_cli.output.text import one_line, with_detail

ENDED_BY_CLUSTER: Final = frozenset({"DeadlineExceeded", "Evicted", "NodeLost", "StorageLimitExceeded"})
"""Reasons of runs that the cluster has ended: the exit code is that of a program that had to stop."""
_STARTING: Final = ("pulling", "starting")
_LARGEST_CODE: Final = 255


def word(run: Mapping[str, Any]) -> str:
    """Return the state of a run as people read it: `pulling`, `starting`, `running`, `succeeded`, `failed`, `stopped`.

    A gateway of release 0.1 reports no more than the original: with it, a success is `stopped`.
    """
    state, status = str(run.get("state") or ""), str(run.get("status") or "")
    if state == "Pending":
        return status if status in _STARTING else "starting"
    return one_line(state.lower() or status)


def has_ended(run: Mapping[str, Any]) -> bool:
    """Whether a run is over. One that has failed because it cannot start may still recover."""
    if run.get("state"):
        return run.get("finished_at") is not None
    return run.get("status") in ("stopped", "failed")


def cannot_start(run: Mapping[str, Any]) -> bool:
    """Whether a run has failed before its program started, though its Job still tries."""
    return word(run) == "failed" and run.get("started_at") is None and not has_ended(run)


def why(run: Mapping[str, Any]) -> str:
    """Return why a run failed or what it waits for: the message with its detail; empty if that is not known."""
    return one_line(with_detail(str(run.get("message") or run.get("reason") or ""), run.get("detail")))


def ran(run: Mapping[str, Any]) -> float | None:
    """Return for how many seconds the program of a run has run; None if it has not ended."""
    try:
        begun, ended = (datetime.fromisoformat(str(run.get(key))) for key in ("started_at", "finished_at"))
        return max(0.0, (ended - begun).total_seconds())
    except (ValueError, TypeError):  # one of them is missing, or has no zone
        return None


def ended_itself(run: Mapping[str, Any]) -> bool:
    """Whether the exit code of a run is one that its program chose."""
    has_failed = word(run) == "failed" and run.get("started_at") is not None
    is_by_program = has_failed and run.get("reason") not in ENDED_BY_CLUSTER
    return is_by_program and isinstance(run.get("exit_code"), int)


def exit_code(run: Mapping[str, Any]) -> int:
    """Return the exit code of a command that has waited for a run: the program's, or 1 if it has none of its own."""
    if word(run) == "succeeded":
        return Exit.SUCCESS
    code = run.get("exit_code")
    return code if ended_itself(run) and isinstance(code, int) and 0 < code <= _LARGEST_CODE else Exit.FAILED


class RunFailed(CliError):
    """A run that was waited for and has not succeeded, with the exit code of its program."""

    def __init__(self, run: Mapping[str, Any], *, log_shown: bool) -> None:
        """`log_shown`: whether the user has read the log already."""
        name = one_line(str(run.get("id")))
        advice: list[str] = []
        if word(run) != "failed":
            message = f"run {name} was stopped"
        elif log_shown and ended_itself(run):  # its last line and how to read the log are no news
            message = f"run {name} failed: {one_line(str(run.get('message') or 'its program failed'))}"
        else:
            message, advice = f"run {name} failed{': ' if why(run) else ''}{why(run)}", suggestions(run)
        super().__init__(Exit.FAILED, message, *advice, kind="run_failed")
        self._exit_code = exit_code(run)
        self._reason = run.get("reason")

    @property
    def exit_code(self) -> int:
        """The exit code of the program, or 1."""
        return self._exit_code

    def to_json(self) -> dict[str, Any]:
        """Return the error with the failure code."""
        return super().to_json() | {"reason": self._reason}


def suggestions(failure: Mapping[str, Any]) -> list[str]:
    """Return the hints for a run or a refusal that has a failure code: what to do, and where more is."""
    suggestion, code = failure.get("suggestion"), failure.get("reason")
    if not isinstance(suggestion, str) or not suggestion:
        return []
    return [one_line(suggestion), *([f"`mill explain {one_line(str(code))}` says more"] if code else [])]


def command(options: Options, *words: str) -> str:
    """Return a command of `mill` about the same namespace, as a user would type it."""
    where = ["--namespace", options.namespace] if options.namespace else []
    return shlex.join(["mill", *words, *where])
