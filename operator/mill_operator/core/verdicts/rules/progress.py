"""Reasons that no predicate finds: they come from the rollout itself."""

from typing import Final

from mill_operator.core.verdicts.rule import AT_ONCE, Reason, Speed, seconds

TIMEOUT: Final = Reason(
    id="timeout",
    code="Timeout",
    speed=Speed.NEEDS_TIME,
    grace=seconds(600),
    evidence="no progress, and no known cause",
    message="no progress for 10m",
    suggestion="Find the cause: kubectl describe pods -l mill.dev/service={service}",
)

NOT_BEGUN: Final = Reason(
    id="not-begun",
    code="NotBegun",
    speed=Speed.PERMANENT,
    grace=AT_ONCE,
    evidence="a service that comes `after` one that has failed",
    message="not begun: {root} has failed: {cause}",
    suggestion="Mend {root}. {service} begins when {root} has settled.",
)

RELEASE_FAILED: Final = Reason(
    id="release-failed",
    code="ReleaseFailed",
    speed=Speed.PERMANENT,
    grace=AT_ONCE,
    evidence="a task that comes `before` the service, and whose run for this version has failed",
    message="not begun: task {task} has failed: {cause}",
    detail="{words}",
    suggestion="Mend what task {task} does: mill logs {run}. It runs again with the next deploy, even of the same"
    " file.",
)

WAITING: Final = Reason(
    id="waiting",
    code="Waiting",
    speed=Speed.NO_EVIDENCE,
    grace=AT_ONCE,
    evidence="a service that comes `after` one that has not settled, or after a task, or refers to one that serves"
    " nothing yet",
    message="waiting for {services}",
    suggestion="See what {services} waits for: mill status",
)

NOT_STOPPED: Final = Reason(
    id="not-stopped",
    code="NotStopped",
    speed=Speed.NEEDS_TIME,
    grace=seconds(60),
    evidence="a removed service that still exists, counted from when its pods should have ended",
    message="not stopped: {cause}",
    suggestion="Delete the node if it is lost for good: kubectl delete node NAME. The operator keeps retrying.",
)
