"""The real kstatus over what fast tests go by: the statuses of unit tests, and those that the chart has recorded."""

import itertools
from pathlib import Path
from typing import Any

import yaml

from mill_api.pausing import is_paused
from mill_api.service_status import State
from mill_api.status import MillDeploymentStatus
from tests.e2e.verdicts import judged
from tests.support.kstatus import kstatus
from tests.support.statuses import judged as with_conditions
from tests.support.statuses import status

from . import guide

CHECK = Path(__file__).parents[2] / "charts/mill/files/argocd/resource_customizations/mill.dev/MillDeployment"


def test_every_status_of_unit_tests() -> None:
    ready, unready = status(State.HEALTHY), status(State.STARTING, finished=False)
    made = [
        with_conditions(status(*states, finished=finished).model_copy(update={"conditions": before.conditions}))
        for states in itertools.product(State, repeat=2)
        for finished in (True, False)
        for before in (ready, unready)
    ]
    made += [status(), status(State.HEALTHY, refused="no"), MillDeploymentStatus()]
    shown = [_object(each, generation) for each in made for generation in (1, 2)]
    read = [judged(*each) for each in zip(kstatus(shown), shown, strict=True)]
    assert set(read[::2]) == {"Current", "Failed", "InProgress"}
    assert set(read[1::2]) == {"InProgress"}


def test_what_argo_cd_s_check_is_tried_with() -> None:
    """A pause adds to any line of the table: Argo CD shows it, and kstatus does not know it."""
    cases = yaml.safe_load((CHECK / "health_test.yaml").read_text())["tests"]
    paused = [each for each in cases if each["healthStatus"]["status"] == "Suspended"]
    cases = [each for each in cases if each not in paused]
    read = [yaml.safe_load((CHECK / each["inputPath"]).read_text()) for each in paused]
    assert [is_paused(each["metadata"]) for each in read] == [True]
    assert guide.says("Argo CD shows a paused resource as `Suspended`")
    shown = [yaml.safe_load((CHECK / each["inputPath"]).read_text()) for each in cases]
    for found, each, case in zip(kstatus(shown), shown, cases, strict=True):
        judged(found, each)
        assert guide.row_of(each).argo == case["healthStatus"]["status"], case
    assert {guide.row_of(each).moment for each in shown} == {row.moment for row in guide.table()}


def _object(made: MillDeploymentStatus, generation: int) -> dict[str, Any]:
    return {
        "apiVersion": "mill.dev/v1alpha1",
        "kind": "MillDeployment",
        "metadata": {"name": "mill", "namespace": "shop", "generation": generation},
        "status": made.model_dump(mode="json", by_alias=True, exclude_none=True),
    }
