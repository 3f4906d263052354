"""The state of a MillDeployment as a whole, by its status."""

from typing import Any

import pytest

from mill_api.status_reading import read_status
from mill_gateway.core.deployment_states import deployment_state, view_state
from mill_gateway.objects.deployments import project_deployment
from tests.support.gateway.objects import mill_deployment

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


def test_services_that_the_spec_has_no_more_are_not_counted() -> None:
    """Of a paused deployment the status is older than the spec for long."""
    services = [{"name": name, "state": "Healthy"} for name in ("web", "api")]
    found = mill_deployment({"name": "web", "image": "web:1"}, status={"services": services})
    state = view_state(project_deployment(found))
    assert (state.healthy_count, state.service_count) == (1, 1)
