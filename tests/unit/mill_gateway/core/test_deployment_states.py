"""The state of a MillDeployment as a whole, by its status."""

from typing import Any

import pytest

from mill_api.status_reading import read_status
from mill_gateway.core.deployment_states import deployment_state

STARTED = {"id": "4", "startedAt": "2026-02-14T10:00:00Z"}
FINISHED = STARTED | {"finishedAt": "2026-02-14T10:00:04Z", "success": True}


def _ready(status: str, reason: str) -> dict[str, Any]:
    return {
        "type": "Ready",
        "status": status,
        "reason": reason,
        "message": "x",
        "observedGeneration": 4,
        "lastTransitionTime": "2026-02-14T10:00:04Z",
    }


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({}, "InProgress"),
        ({"rollout": FINISHED | {"id": "3"}}, "InProgress"),
        ({"rollout": STARTED}, "InProgress"),
        ({"rollout": STARTED, "services": [{"name": "web", "state": "Failed"}]}, "Failed"),
        ({"rollout": FINISHED}, "Healthy"),
        ({"rollout": FINISHED, "conditions": [_ready("True", "Healthy")]}, "Healthy"),
        ({"rollout": FINISHED, "services": [{"name": "web", "state": "Suspect"}]}, "Healthy"),
        ({"rollout": FINISHED, "services": [{"name": "web", "state": "Failed"}]}, "Failed"),
        ({"rollout": FINISHED, "conditions": [_ready("False", "Progressing")]}, "InProgress"),
        ({"rollout": FINISHED, "conditions": [_ready("False", "InternalError")]}, "Failed"),
        ({"rollout": FINISHED | {"success": False, "error": "internal error"}}, "Failed"),
        ({"rollout": FINISHED | {"success": False, "refused": "no port"}}, "Refused"),
    ],
)
def test_the_state_follows_from_the_status(status: dict[str, Any], state: str) -> None:
    assert deployment_state(read_status(status), "4") == state
