"""A run as the gateway shows it, and its log."""

from typing import Any

from tests.cli.fake_gateway import Answer, event

ID = "migrate-11cc64ba"
STARTED = {"started_at": "2026-02-14T10:00:01.000Z"}
ENDED = {**STARTED, "finished_at": "2026-02-14T10:00:04.200Z"}


def run(state: str, **more: Any) -> dict[str, Any]:
    """Return a run as `GET /v1/tasks/{id}` shows it."""
    status = {"Pending": "starting", "Running": "running", "Failed": "failed"}.get(state, "stopped")
    unset = dict.fromkeys(("reason", "message", "detail", "suggestion", "exit_code", "started_at", "finished_at"))
    return {"id": ID, "name": "migrate", "node": "node-1", "status": status, "state": state, **unset, **more}


def log(*lines: str | float, ends: bool = True) -> Answer:
    """Return a log that ends with its run, or that goes on."""
    parts = [each if isinstance(each, float) else event(None, {"alloc": "p", "line": each}) for each in lines]
    return Answer(200, {"Content-Type": "text/event-stream"}, (*parts, *(() if ends else (60.0,))))
