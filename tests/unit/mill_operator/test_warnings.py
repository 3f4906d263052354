"""A rule of a newer operator refuses new generations; an accepted spec stays in effect, with a warning."""

from typing import Any

import pytest

from mill_api.pod_permissions import PodPermissions
from mill_api.problems import Problem
from mill_api.rollouts import Rollout
from mill_api.status import MillDeploymentStatus
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_operator import memory
from mill_operator.core import limits
from mill_operator.core.objects.pods import RenderOptions
from mill_operator.core.rollout.warnings import accepted, spec_warnings
from tests.support.kstatus_rules import kstatus
from tests.support.reconciling import ReconcilerHarness, created_events

AT = "2026-01-31T12:00:00.000Z"
LATER = "2026-01-31T12:10:00.000Z"
TOO_LONG = Problem("service.web.command", "more than 3 words")
SOME = Problem("task.job.timeout", "too long")


def rollout(id_: str = "4", **more: Any) -> Rollout:
    return Rollout(id=id_, started_at=AT, **more)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (MillDeploymentStatus(observed_generation=4, rollout=rollout()), True),
        (MillDeploymentStatus(observed_generation=4, rollout=rollout("4-again")), True),
        (MillDeploymentStatus(observed_generation=4, rollout=rollout(finished_at=LATER, success=False)), True),
        (MillDeploymentStatus(observed_generation=4, rollout=rollout(finished_at=LATER, error="internal")), True),
        (MillDeploymentStatus(), False),
        (MillDeploymentStatus(observed_generation=4), False),
        (MillDeploymentStatus(observed_generation=3, rollout=rollout("3")), False),
        (MillDeploymentStatus(observed_generation=4, rollout=rollout("3")), False),
        (MillDeploymentStatus(observed_generation=4, rollout=rollout("blue/4")), False),
        (MillDeploymentStatus(observed_generation=4, rollout=rollout(finished_at=AT, refused="no")), False),
        (MillDeploymentStatus(observed_generation=4, rollout=rollout(finished_at=AT, error="internal")), False),
    ],
)
def test_a_generation_is_accepted_once_its_rollout_has_started(status: MillDeploymentStatus, expected: bool) -> None:
    assert accepted(status, 4) is expected


def test_warnings_are_limited_and_name_their_service() -> None:
    first, second, *rest = spec_warnings([TOO_LONG, SOME, *[Problem("service.a", "x" * 1000)] * 100])
    assert (first.service, first.code, first.message) == (
        "web",
        "SpecWarning",
        "service.web.command: more than 3 words",
    )
    assert second.service is None
    assert len(rest) == limits.SPEC_WARNINGS - 2
    assert len(rest[0].message) == limits.SPEC_WARNING_LENGTH


class Upgrades:
    """A MillDeployment whose operator is replaced by others, which refuse more."""

    def __init__(self) -> None:
        self.harness = ReconcilerHarness()

    def restart(self, **options: Any) -> None:
        self.harness.restart(**options)

    async def reconcile(self, **metadata: Any) -> MillDeploymentStatus:
        """Change the resource's metadata, reconcile it, and return its stored status."""
        self.harness.change(**metadata)
        await self.harness.reconcile()
        await self.harness.reconciler.flush()
        (stored,) = self.harness.server.all(MILL_DEPLOYMENTS)
        assert stored["status"] == self.harness.statuses[-1]
        return MillDeploymentStatus.model_validate(stored["status"])

    @property
    def warnings(self) -> list[str]:
        events = created_events(self.harness.server)
        return [each["message"] for each in events if each["reason"] == "SpecWarning"]


def refuse(patch: pytest.MonkeyPatch, *problems: Problem) -> None:
    patch.setattr(memory, "problems", lambda _spec: list(problems))


async def test_an_accepted_spec_stays_in_effect_and_is_warned_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    upgrades = Upgrades()
    before = await upgrades.reconcile()
    refuse(monkeypatch, TOO_LONG, SOME)
    upgrades.restart()
    after = await upgrades.reconcile()
    assert [each.code for each in after.warnings] == ["SpecWarning"] * 2
    assert (after.rollout, after.services) == (before.rollout, before.services)
    assert kstatus(1, after) == kstatus(1, before)
    (warning,) = upgrades.warnings
    problems = "service.web.command: more than 3 words; task.job.timeout: too long"
    assert warning == f"the accepted spec stays in effect, but a change of it will be refused: {problems}"
    written = len(upgrades.harness.statuses)
    await upgrades.reconcile()
    upgrades.restart()
    await upgrades.reconcile()
    assert (len(upgrades.harness.statuses), len(upgrades.warnings)) == (written, 1)
    again = await upgrades.reconcile(annotations={"mill.dev/request": "again"})
    assert again.rollout is not None
    assert (again.rollout.id, again.rollout.refused) == ("1-again", None)
    assert len(again.warnings) == 2


async def test_an_accepted_size_stays_in_effect() -> None:
    upgrades = Upgrades()
    before = await upgrades.reconcile()
    upgrades.restart(max_spec_bytes=50)
    after = await upgrades.reconcile()
    assert [each.message.partition(",")[0] for each in after.warnings] == ["spec: it has 74 bytes as JSON"]
    assert (after.rollout, after.services) == (before.rollout, before.services)
    again = await upgrades.reconcile(annotations={"restart.mill.dev/web": "1"})
    assert again.warnings == after.warnings
    refused = await upgrades.reconcile(generation=2)
    assert refused.rollout is not None
    assert "MILL_MAX_SPEC_BYTES" in (refused.rollout.refused or "")


async def test_a_new_generation_is_refused_and_the_running_one_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    upgrades = Upgrades()
    await upgrades.reconcile()
    refuse(monkeypatch, TOO_LONG)
    upgrades.restart()
    await upgrades.reconcile()
    calls = len(upgrades.harness.writes)
    refused = await upgrades.reconcile(generation=2)
    assert refused.rollout is not None
    assert (refused.rollout.id, refused.rollout.refused) == ("2", str(TOO_LONG))
    assert refused.warnings == []
    assert kstatus(2, refused) == "Failed"
    upgrades.restart()
    assert await upgrades.reconcile() == refused
    assert len(upgrades.harness.writes) == calls


async def test_a_first_generation_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, TOO_LONG)
    upgrades = Upgrades()
    status = await upgrades.reconcile()
    assert status.rollout is not None
    assert status.rollout.refused == str(TOO_LONG)
    assert upgrades.harness.writes == []


async def test_a_warning_ends_with_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    upgrades = Upgrades()
    await upgrades.reconcile()
    refuse(monkeypatch, TOO_LONG)
    upgrades.restart()
    assert (await upgrades.reconcile()).warnings
    refuse(monkeypatch)
    assert (await upgrades.reconcile(generation=2)).warnings == []


async def test_a_permission_that_is_taken_back_stops_nothing_and_is_warned_of() -> None:
    """The running pods keep what they have until their template changes, which the operator does by itself."""
    service = {"name": "web", "image": "web:1", "labels": {"team": "shop"}, "place": {"tolerate": ["spot"]}}
    permitted = RenderOptions(permissions=PodPermissions(tolerations=("spot",), labels=("team",)))
    upgrades = Upgrades()
    upgrades.restart(render=permitted)
    upgrades.harness.change(spec={"services": [service]})
    before = await upgrades.reconcile()
    assert before.warnings == []
    upgrades.restart()
    after = await upgrades.reconcile()
    assert [each.service for each in after.warnings] == ["web", "web"]
    assert "MILL_TOLERATIONS" in after.warnings[0].message
    assert "MILL_POD_LABELS" in after.warnings[1].message
    refused = await upgrades.reconcile(generation=2)
    assert refused.rollout is not None
    assert "service.web.place.tolerate.0: toleration of 'spot' is not permitted" in (refused.rollout.refused or "")


async def test_root_is_refused_where_the_cluster_is_restricted() -> None:
    upgrades = Upgrades()
    upgrades.restart(render=RenderOptions(restricted=True))
    upgrades.harness.change(spec={"services": [{"name": "web", "image": "web:1", "user": 0}]})
    refused = await upgrades.reconcile()
    assert refused.rollout is not None
    assert (refused.rollout.refused or "").startswith("service.web.user: user 0 is root")
