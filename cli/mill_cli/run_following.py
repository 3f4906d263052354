"""A run of a task that is waited for: its log, what it waits for before its start, and how it ends.

`mill spawn --wait` and `mill run` do this with the run that they create, `mill logs RUN --wait` with one that is there.
"""

import time
from collections.abc import Iterator
from typing import Any, Final

from mill_cli.connection.client import Gateway, path
from mill_cli.connection.failures import UNAVAILABLE, Refused, Unanswered
from mill_cli.connection.streams import RESUME_SECONDS, EventStream, Request, ServerEvent
from mill_cli.errors import CliError, Exit, Interrupted
from mill_cli.event_queue import EventQueue, ObservedRun
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.numbers import seconds
from mill_cli.output.text import one_line
from mill_cli.runs import RunFailed, cannot_start, command, has_ended, ran, why, word

POLL_SECONDS: Final = 0.5
"""Seconds between two reads of the run: the log does not say why it has not started."""
LAST_LINES_SECONDS: Final = 2.0
"""How long the log may go on after the run has ended."""
CAUSE_SECONDS: Final = 3.0
"""How long the operator may take to report why a Job has failed."""
MOST_LINES: Final = "10000"
"""The last lines that are asked for: mostly there are none yet."""


class RunLog(EventStream):
    """The log of a run, from its first line to its end."""

    def __init__(self, gateway: Gateway, run: str) -> None:
        query = {**gateway.options.where, "follow": "true", "tail": MOST_LINES}
        notice = screen.note if gateway.options.verbose else None
        super().__init__(gateway, Request("GET", path("logs", run), query), ends=False, notice=notice)

    def lines(self) -> Iterator[ServerEvent]:
        """Yield the lines. Where the log cannot be read, the last event is `error`: the run is waited for anyway."""
        try:
            yield from self
        except CliError as error:
            yield ServerEvent("error", str(error), {})


class FollowedRun:
    """One run, and what was printed of it."""

    def __init__(self, gateway: Gateway, run: str, *, is_ours: bool) -> None:
        """`run` is its id; `is_ours`: whether this command has created it, and deletes it if it cannot start."""
        self._gateway = gateway
        self._options = gateway.options
        self._id = run
        self._is_ours = is_ours
        self._waits_for = ""
        self._log_shown = False
        self._due: float | None = None
        """When reading the log ends at the latest."""

    def follow(self) -> Exit:
        """Print the log until the run ends. Raise `RunFailed` if it does not succeed, `Interrupted` or `CliError`."""
        try:
            run = self._show_log()
            run = run if run is not None and cannot_start(run) else self._await_end()
            if self._is_ours and cannot_start(run):
                self._give_up()
        except KeyboardInterrupt:
            raise Interrupted(self._how_to_rejoin()) from None
        if self._options.as_json:
            screen.out_json(run)
        if word(run) != "succeeded":
            raise RunFailed(run, log_shown=self._log_shown)
        took = ran(run)
        self._note(f"run {one_line(self._id)} succeeded{'' if took is None else f' ({seconds(took)})'}")
        return Exit.SUCCESS

    def _show_log(self) -> dict[str, Any] | None:
        """Print the log to its end, or until the run has failed. Return what was last observed of the run."""
        items, run = EventQueue(), None
        items.read(RunLog(self._gateway, self._id).lines())
        with items.polling(self._poll, POLL_SECONDS):
            for item in items.receive(lambda: self._due):
                if isinstance(item, ServerEvent):
                    self._print(item)
                elif isinstance(item, ObservedRun):
                    run = item.run
                    self._observe(run)
                if run is not None and cannot_start(run):
                    break
                if self._due is None and run is not None and (has_ended(run) or word(run) == "failed"):
                    self._due = time.monotonic() + LAST_LINES_SECONDS
                if self._due is not None and time.monotonic() >= self._due:
                    break
        return run

    def _await_end(self) -> dict[str, Any]:
        """Return the run when it has ended, with its cause. Raise `CliError` if the gateway is away for too long."""
        give_up, caused_by = time.monotonic() + RESUME_SECONDS, None
        while True:
            try:
                run: dict[str, Any] = self._gateway.get(path("tasks", self._id), **self._options.where)
            except CliError as error:
                self._require_temporary(error, give_up)
            else:
                give_up = time.monotonic() + RESUME_SECONDS
                self._observe(run)
                if has_ended(run) or word(run) == "failed":
                    caused_by = caused_by or time.monotonic() + CAUSE_SECONDS
                    if word(run) != "failed" or why(run) or time.monotonic() >= caused_by:
                        return run
            time.sleep(POLL_SECONDS)

    def _require_temporary(self, error: CliError, give_up: float) -> None:
        """Raise an error that is none of a gateway that is away for a moment."""
        is_temporary = isinstance(error, Unanswered) or (isinstance(error, Refused) and error.status in UNAVAILABLE)
        if not is_temporary:
            raise error
        if time.monotonic() >= give_up:
            raise CliError(Exit.STREAM_LOST, f"lost the connection; {self._how_to_rejoin()}") from error

    def _poll(self) -> ObservedRun | None:
        try:
            return ObservedRun(self._gateway.get(path("tasks", self._id), **self._options.where))
        except (CliError, RuntimeError):  # RuntimeError: the client is closed
            return None

    def _observe(self, run: dict[str, Any]) -> None:
        """Report what a run waits for that has not started, whenever that changes."""
        cause = why(run) if run.get("started_at") is None and word(run) != "failed" else ""
        if cause and cause != self._waits_for:
            self._note(f"run {one_line(self._id)} waits: {cause}")
        self._waits_for = cause or self._waits_for

    def _print(self, event: ServerEvent) -> None:
        if event.name == "error":
            self._note(f"cannot show the log: {one_line(event.text)}")
            return
        self._log_shown = True
        if self._options.as_json:
            screen.out_json(event.data or event.text)
        else:  # as the program wrote it, colors included
            screen.out(str(event.data.get("line", event.text)))

    def _give_up(self) -> None:
        """Delete a run that cannot start, so that it does not start later. Without the right it stays."""
        try:
            self._gateway.request("DELETE", path("tasks", self._id), query=self._options.where)
        except CliError as error:
            self._note(f"cannot delete run {one_line(self._id)}, which may start later: {error}")

    def _how_to_rejoin(self) -> str:
        wait, stop = command(self._options, "logs", self._id, "--wait"), command(self._options, "kill", self._id)
        return f"the run continues; `{wait}` waits for it again, with its exit code, `{stop}` stops it"

    def _note(self, text: str) -> None:
        if not (self._options.quiet or self._options.as_json):
            screen.note(text)


def wait_for_run(options: Options, run: str) -> Exit:
    """Print the log of a run until it ends, and return as `FollowedRun.follow` does. Raise `CliError`."""
    with Gateway(options) as gateway:
        gateway.get(path("tasks", run), **options.where)  # a name that no run has is refused at once
        return FollowedRun(gateway, run, is_ours=False).follow()
