"""A rule that is added later refuses new generations; accepted ones continue, with a warning."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from mill_api.status import MillDeploymentStatus, Rollout
from mill_api.validation import Problem
from mill_kube.client import KubeClient
from mill_operator import memory
from mill_operator.caches import Caches
from mill_operator.core import limits
from mill_operator.core.rollout.warnings import accepted, spec_warnings
from mill_operator.reconciler import Reconciler, ReconcilerOptions
from tests.support.reconciling import KEY, RecordingServer, resource_body

from .kstatus import kstatus

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
def test_a_generation_whose_rollout_started_was_accepted(status: MillDeploymentStatus, expected: bool) -> None:
    assert accepted(status, 4) is expected


def test_they_are_bounded_and_name_their_service() -> None:
    first, second, *rest = spec_warnings([TOO_LONG, SOME, *[Problem("service.a", "x" * 1000)] * 100])
    assert (first.service, first.code, first.message) == (
        "web",
        "SpecWarning",
        "service.web.command: more than 3 words",
    )
    assert second.service is None
    assert len(rest) == limits.SPEC_WARNINGS - 2
    assert len(rest[0].message) == limits.SPEC_WARNING_LENGTH


class Here:
    def __init__(self) -> None:
        self.server = RecordingServer()
        self.restart()
        self.body = resource_body()

    def restart(self, **options: Any) -> None:
        """Start with nothing but the objects of the API server, as after an upgrade."""
        client = cast("KubeClient", self.server)
        self.caches = Caches(client, None, lambda _key: None)
        self.reconciler = Reconciler(client, self.caches, ReconcilerOptions(**options), lambda: datetime.now(UTC))

    async def look(self, **metadata: Any) -> MillDeploymentStatus:
        version = str(int(self.body["metadata"]["resourceVersion"]) + 1)
        changed = {**self.body["metadata"], "resourceVersion": version, **metadata}
        status = self.server.statuses[-1] if self.server.statuses else {}
        self.body = self.server.resource = {**self.body, "metadata": changed, "status": status}
        self.caches.mill_deployments.put(self.body)
        await self.reconciler.reconcile(KEY)
        await self.reconciler.flush()
        return MillDeploymentStatus.model_validate(self.server.statuses[-1])

    @property
    def warnings(self) -> list[str]:
        return [each["message"] for each in self.server.events if each["reason"] == "SpecWarning"]


def make_rule(patch: pytest.MonkeyPatch, *problems: Problem) -> None:
    patch.setattr(memory, "problems", lambda _spec: list(problems))


async def test_an_accepted_spec_continues_with_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Here()
    before = await here.look()
    make_rule(monkeypatch, TOO_LONG, SOME)
    here.restart()
    after = await here.look()
    assert [each.code for each in after.warnings] == ["SpecWarning"] * 2
    assert (after.rollout, after.services) == (before.rollout, before.services)
    assert kstatus(1, after) == kstatus(1, before)
    (warning,) = here.warnings
    problems = "service.web.command: more than 3 words; task.job.timeout: too long"
    assert warning == f"the accepted spec stays in effect, but a change of it will be refused: {problems}"
    written = len(here.server.statuses)
    await here.look()
    here.restart()
    await here.look()
    assert (len(here.server.statuses), len(here.warnings)) == (written, 1)
    again = await here.look(annotations={"mill.dev/request": "again"})
    assert again.rollout is not None
    assert (again.rollout.id, again.rollout.refused) == ("1-again", None)
    assert len(again.warnings) == 2


async def test_an_accepted_size_continues_too() -> None:
    here = Here()
    before = await here.look()
    here.restart(max_spec_bytes=50)
    after = await here.look()
    assert [each.message.partition(",")[0] for each in after.warnings] == ["spec: it has 74 bytes as JSON"]
    assert (after.rollout, after.services) == (before.rollout, before.services)
    again = await here.look(annotations={"restart.mill.dev/web": "1"})
    assert again.warnings == after.warnings
    refused = await here.look(generation=2)
    assert refused.rollout is not None
    assert "MILL_MAX_SPEC_BYTES" in (refused.rollout.refused or "")


async def test_a_new_generation_is_refused_and_pods_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Here()
    await here.look()
    make_rule(monkeypatch, TOO_LONG)
    here.restart()
    await here.look()
    calls = len(here.server.calls)
    refused = await here.look(generation=2)
    assert refused.rollout is not None
    assert (refused.rollout.id, refused.rollout.refused) == ("2", str(TOO_LONG))
    assert refused.warnings == []
    assert kstatus(2, refused) == "Failed"
    here.restart()
    assert await here.look() == refused
    assert len(here.server.calls) == calls


async def test_a_first_generation_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    make_rule(monkeypatch, TOO_LONG)
    here = Here()
    status = await here.look()
    assert status.rollout is not None
    assert status.rollout.refused == str(TOO_LONG)
    assert here.server.calls == []


async def test_a_warning_is_removed_with_its_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Here()
    await here.look()
    make_rule(monkeypatch, TOO_LONG)
    here.restart()
    assert (await here.look()).warnings
    make_rule(monkeypatch)
    assert (await here.look(generation=2)).warnings == []
