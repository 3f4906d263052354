"""The operator's part in tests of the gateway: reports that follow a write at once."""

from typing import Any

from mill_api.rollout_ids import rollout_id
from mill_kube.connection import Request
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_objects.json import Json
from tests.support.gateway.served import Served


def finish_rollouts(served: Served, status: dict[str, Any]) -> None:
    """Let every written MillDeployment have this status before the write is answered, as of a rollout that is over."""

    def report(request: Request, answer: Json) -> None:
        if request.resource != MILL_DEPLOYMENTS or request.verb in ("get", "delete") or request.query.get("dryRun"):
            return
        meta = answer["metadata"]
        rollout = {**status["rollout"], "id": rollout_id(meta)}
        served.have({**answer, "status": {**status, "observedGeneration": meta["generation"], "rollout": rollout}})

    served.api.observers.append(report)
