"""Failures of requests about tasks and their runs."""

from mill_gateway.exceptions.base import GatewayError, NameNotFound


class TaskNotFound(NameNotFound):
    """No MillDeployment has such a task."""

    code = "task_not_found"
    kind = "task"
    text = "task template not found"


class RunNotFound(NameNotFound):
    """The namespace has no such run."""

    code = "run_not_found"
    kind = "run"
    text = "task not found"


class NotARun(GatewayError):
    """The name is a replica's of a service."""

    code = "not_a_run"
    text = "allocation is not a task"


class InvalidRun(GatewayError):
    """A run cannot be made as the request describes it."""

    code = "invalid_run"


class RunNotStarted(GatewayError):
    """The run failed before its program started; `reason` has the failure code."""

    code = "run_not_started"


class InsufficientResources(GatewayError):
    """No node has room for the run; `detail` has the scheduler's message."""

    code = "insufficient_resources"
