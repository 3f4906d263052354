"""Services that succeed and fail, and what kstatus reads in their statuses."""

from typing import Any

from mill_api.status import MillDeploymentStatus
from tests.e2e import guide
from tests.support.kstatus import Verdict
from tests.support.kstatus_rules import kstatus as kstatus_by_rules

GOOD = 'service "web" {\n  image = "REGISTRY/web:1"\n  port  = 8080\n  cpu   = 0.02\n}\n'
BROKEN = 'service "broken" {\n  image = "REGISTRY/web:missing"\n  port  = 8080\n  cpu   = 0.02\n}\n'


def judged(found: Verdict, shown: dict[str, Any]) -> str:
    """Return the verdict, which must be the documented one, with Mill's message, and that of the rules in Python."""
    metadata, status = shown["metadata"], shown.get("status") or {}
    if "deletionTimestamp" in metadata:
        assert found.status == "Terminating", shown
        return found.status
    assert found.status == guide.row_of(shown).kstatus, shown
    generation, model = metadata["generation"], MillDeploymentStatus.model_validate(status)
    assert found.status == kstatus_by_rules(generation, model), shown
    conditions = {each["type"]: each for each in status.get("conditions", ())}
    if status.get("observedGeneration") != generation:
        assert found.status == "InProgress", shown
    else:
        assert (found.status == "Failed") == ("Stalled" in conditions), shown
        if found.status != "Current":
            assert found.message == conditions["Ready"]["message"], shown
    return found.status
