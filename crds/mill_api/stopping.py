"""How a program is ended: its signal, and the time until it is killed. Services and tasks share the fields."""

from math import ceil
from typing import Annotated, Final

from pydantic import Field

from mill_api.constraints import LONGEST_STOP
from mill_api.durations import to_timedelta
from mill_api.fields import StopSignal, StopTime
from mill_objects.json import Json

GRACE_SECONDS: Final = 10
"""Seconds between the signal to a program and its kill, where it does not say."""
LEAVE_SECONDS: Final = 5
"""Seconds for which a pod that ends keeps serving before the signal. Proxies learn a moment later that its Service left
it out, and the requests that they send until then would be lost."""
LONGEST_STOP_SECONDS: Final = int(LONGEST_STOP.total_seconds()) + LEAVE_SECONDS
"""Seconds that a pod may take to end, at most."""

Stop = Annotated[
    StopTime | None,
    Field(
        description="Time between the signal that ends the program and its kill, such as 45s; from 1s to 5m. If it is "
        "left out, 10s."
    ),
]
StopSignalField = Annotated[
    StopSignal | None,
    Field(
        description="Signal that ends the program, such as SIGQUIT, where the operator's setting says that the cluster "
        "can do that. If it is left out, the image's, which mostly is SIGTERM."
    ),
]


def grace_seconds(stop: str | None, container: Json) -> int:
    """Return the seconds from the request to end a pod to its kill. They include the time for which it serves on."""
    leaves = LEAVE_SECONDS if "preStop" in container.get("lifecycle", {}) else 0
    return leaves + (GRACE_SECONDS if stop is None else ceil(to_timedelta(stop).total_seconds()))
