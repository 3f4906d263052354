"""Services that refer to others, or come after them: patient while those serve nothing, judged as alone otherwise."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mill_api.status import MillDeploymentStatus, ServiceStatus, State
from mill_operator.core import timestamps
from mill_operator.core.objects.rendering import DesiredState, ParsedSpec
from mill_operator.core.observed.containers import Termination
from mill_operator.core.observed.lookup_results import NO_RESULTS
from mill_operator.core.observed.mill_deployments import project_mill_deployment
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.observed.snapshot import Snapshot
from mill_operator.core.reconcile import (
    Goal,
    Observations,
    Situation,
    decide_status,
    decide_writes,
    observe_services,
    starts_rollout,
)
from tests.support.children import OBSERVED
from tests.support.recordings import CREATED, at, pod, waiting

TAG_MISSING = "failed to resolve reference: db:2: not found"


class Shop:
    """A MillDeployment whose services depend on each other, and its pods, at a time in seconds."""

    def __init__(self, *services: str, settle: float = 0, **edges: Mapping[str, tuple[str, ...]]) -> None:
        self.generation, self.settle, self.edges = 1, settle, edges
        self.images = {service: f"{service}:1" for service in services}
        self.status = MillDeploymentStatus()
        self.pods: dict[str, ObservedPod] = {}
        self.written: dict[str, str] = {}
        """The hashes of the Deployments that were written."""
        self.renewed: list[str] = []
        self.wake_at: float | None = None

    def desired(self) -> DesiredState:
        spec = {"services": [{"name": name, "image": image, "port": 80} for name, image in self.images.items()]}
        parts = [
            replace(part, wanted=replace(part.wanted, settle=timedelta(seconds=self.settle), **self._edges(part.name)))
            for part in ParsedSpec(self.resource().owner, spec, {}).desired().parts
            if part.wanted is not None
        ]
        return DesiredState(tuple(parts))

    def _edges(self, service: str) -> dict[str, tuple[str, ...]]:
        return {kind: each[service] for kind, each in self.edges.items() if service in each}

    def resource(self) -> Any:
        metadata = {
            "namespace": "shop",
            "name": "mill",
            "uid": "mill-uid",
            "resourceVersion": "1",
            "generation": self.generation,
            "creationTimestamp": timestamps.render(CREATED),
        }
        return project_mill_deployment({"metadata": metadata, "spec": {}})

    def deploy(self, **images: str) -> None:
        self.generation += 1
        self.images |= images

    def set(self, service: str, made: ObservedPod, *, created: float = 0.0, image: str | None = None) -> None:
        """Give a service its only pod, of the wanted version unless an image is named."""
        template = next(each.template for each in self.desired().services if each.name == service)
        if image is not None:
            template = f"template-of-{image}"
        container = replace(made.container, image=image or self.images[service])
        uid = f"{service}-{created}"
        self.pods[service] = replace(
            made, service=service, template=template, container=container, uid=uid, created=at(created)
        )

    def look(self, seconds: float) -> dict[str, State]:
        """Reconcile at a time, twice if the first decision asks for it at once."""
        now = at(seconds)
        for _ in range(5):
            wake = self._reconcile(seconds)
            if wake is None or wake > now:
                break
        self.wake_at = None if wake is None else (wake - CREATED).total_seconds()
        return {service.name: service.state for service in self.status.services}

    def _reconcile(self, seconds: float) -> Any:
        now, desired, resource = at(seconds), self.desired(), self.resource()
        goal = Goal(resource, desired, desired.children, ())
        snapshot = self._snapshot(desired)
        writes = decide_writes(goal, snapshot, self.status, {}, now)
        for child in (*writes.plan.create, *(child for child, _ in writes.plan.update)):
            if child.kind == "Deployment":
                self.written[child.key.name] = child.applied
        situation = Situation(goal, self._snapshot(desired), {}, self.status, self.status, now)
        starts = starts_rollout(resource, self.status)
        seen = Observations(list(observe_services(situation, NO_RESULTS, is_new_request=starts)))
        for each in seen.renewed_pods:
            self.renewed.append(each.uid)
            del self.pods[each.service]
        decision = decide_status(situation, seen, NO_RESULTS, {})
        self.status = decision.status
        return decision.wake_at

    def _snapshot(self, desired: DesiredState) -> Snapshot:
        children = tuple(
            replace(OBSERVED, key=OBSERVED.key._replace(name=name), uid=name, service=name, applied=applied,
                    owner_uid="mill-uid", available=1)
            for name, applied in self.written.items()
        )  # fmt: skip
        return Snapshot(pods=tuple(self.pods.values()), children=children)

    def service(self, name: str) -> ServiceStatus:
        return next(each for each in self.status.services if each.name == name)

    def condition(self) -> str:
        return next(each.message for each in self.status.conditions if each.type == "Ready")


def crashed(times: int, *, at_second: float) -> ObservedPod:
    """Return a pod that has crashed so often, the last time at that second."""
    end = Termination(1, "Error", "no database", at(at_second - 1), at(at_second))
    made = pod("crashed-twice")
    container = replace(made.container, ended=end, last_ended=end if times > 1 else None, restarts=times - 1)
    return replace(made, container=container)


def unready(since: float) -> ObservedPod:
    made = pod("unready")
    container = replace(made.container, running_since=at(since), ended=None, last_ended=None, restarts=0)
    return replace(made, container=container, unready_since=at(since))


@pytest.fixture
def shop() -> Shop:
    """`web` refers to `db`."""
    made = Shop("db", "web", refers_to={"web": ("db",)})
    made.set("db", pod("pulling"))
    return made


class TestPatience:
    def test_a_program_may_crash_until_its_database_serves(self, shop):
        shop.set("web", crashed(2, at_second=2))
        assert shop.look(3)["web"] is State.SUSPECT
        assert shop.service("web").message == "waiting for db: container exited with code 1"
        assert shop.look(500)["web"] is State.SUSPECT
        shop.set("db", pod("ready"))
        shop.look(501)
        assert shop.renewed == ["web-0.0"]
        shop.set("web", pod("ready"), created=502)
        assert shop.look(503) == {"db": State.HEALTHY, "web": State.HEALTHY}
        assert shop.status.rollout.success

    def test_pods_are_renewed_once(self, shop):
        shop.set("web", crashed(2, at_second=2))
        shop.look(3)
        shop.set("db", pod("ready"))
        shop.look(60)
        shop.set("web", crashed(1, at_second=63), created=61)
        assert shop.look(64)["web"] is State.SUSPECT
        shop.set("web", crashed(2, at_second=66), created=61)
        assert shop.look(67)["web"] is State.FAILED
        assert shop.renewed == ["web-0.0"]

    def test_a_pod_that_has_not_crashed_is_not_renewed_and_its_time_begins_again(self, shop):
        shop.set("web", unready(since=1))
        assert shop.look(20)["web"] is State.STARTING
        assert shop.look(100)["web"] is State.SUSPECT
        shop.set("db", pod("ready", ready_at=at(101)))
        assert shop.look(101)["web"] is State.STARTING
        assert (shop.renewed, shop.service("web").due_at) == ([], timestamps.render(at(131)))
        assert shop.look(130)["web"] is not State.FAILED
        assert shop.look(131)["web"] is State.FAILED

    def test_other_causes_are_judged_as_alone(self, shop):
        shop.set("web", waiting("ErrImagePull", "failed to resolve reference: web:1: not found"))
        assert shop.look(2)["web"] is State.FAILED
        assert shop.service("web").root is None

    def test_where_an_old_version_serves_nobody_is_patient(self, shop):
        shop.set("db", pod("ready"), image="db:0")
        shop.set("web", crashed(2, at_second=12), created=10)
        assert shop.look(13)["web"] is State.FAILED
        assert shop.service("web").root is None

    def test_a_database_without_replicas_makes_nobody_wait(self):
        shop = Shop("db", "web", refers_to={"web": ("db",)})
        shop.desired = lambda made=shop.desired: _without_replicas(made(), "db")  # type: ignore[method-assign]
        shop.set("web", crashed(2, at_second=2))
        assert shop.look(3)["web"] is State.FAILED

    def test_what_waits_has_no_limit_of_its_own_and_what_it_waits_for_has(self, shop):
        shop.set("db", replace(pod("pulling"), bound_at=None, node=None))
        shop.set("web", crashed(2, at_second=2))
        shop.look(3)
        assert shop.look(602)["web"] is State.SUSPECT
        shop.look(604)
        assert (shop.service("db").state, shop.service("db").reason) == (State.FAILED, "Timeout")
        assert shop.service("web").state is State.SUSPECT
        assert shop.wake_at == 614
        assert shop.look(614)["web"] is State.FAILED
        assert shop.service("web").root == "db"


class TestRoots:
    def test_a_permanent_failure_is_followed_at_once(self, shop):
        shop.set("web", crashed(2, at_second=2))
        shop.set("db", waiting("ErrImagePull", TAG_MISSING, "db:1"))
        assert shop.look(3) == {"db": State.FAILED, "web": State.FAILED}
        web = shop.service("web")
        assert web.root == "db"
        assert web.message == "container exited with code 1 (db has failed: image pull failed: tag not found)"
        assert shop.condition() == "2 of 2 failed: db: image pull failed: tag not found, and with it web"

    def test_never_before_its_own_time(self, shop):
        shop.set("web", unready(since=1))
        shop.set("db", waiting("ErrImagePull", TAG_MISSING, "db:1"))
        assert shop.look(3)["web"] is State.STARTING
        assert shop.look(32)["web"] is State.STARTING
        assert shop.look(33)["web"] is State.FAILED

    def test_crashes_wait_ten_seconds_after_a_failure_that_may_heal(self, shop):
        shop.set("web", crashed(2, at_second=2))
        shop.set("db", crashed(1, at_second=2))
        assert shop.look(3) == {"db": State.SUSPECT, "web": State.SUSPECT}
        shop.set("db", crashed(2, at_second=6))
        assert shop.look(7) == {"db": State.FAILED, "web": State.SUSPECT}
        assert shop.look(17)["web"] is State.FAILED

    def test_a_chain_counts_the_ten_seconds_once(self):
        shop = Shop("db", "api", "web", refers_to={"web": ("api",), "api": ("db",)})
        for name in ("db", "api", "web"):
            shop.set(name, crashed(2, at_second=2))
        assert shop.look(3) == {"db": State.FAILED, "api": State.SUSPECT, "web": State.SUSPECT}
        assert shop.look(13) == {"db": State.FAILED, "api": State.FAILED, "web": State.FAILED}
        assert (shop.service("api").root, shop.service("web").root) == ("db", "db")
        assert shop.condition() == "3 of 3 failed: db: container exited with code 1, and with it api, web"

    def test_a_service_in_no_trouble_of_its_own_names_no_root(self, shop):
        shop.set("web", pod("ready"))
        shop.set("db", waiting("ErrImagePull", TAG_MISSING, "db:1"))
        assert shop.look(3) == {"db": State.FAILED, "web": State.HEALTHY}
        assert shop.service("web").root is None


class TestAfter:
    """`web` comes after `db`."""

    @pytest.fixture
    def shop(self) -> Shop:
        made = Shop("db", "web", settle=10, after={"web": ("db",)})
        made.set("db", pod("ready"))
        return made

    def test_its_pods_are_not_made_before_the_other_has_settled(self, shop):
        assert shop.look(1) == {"db": State.HEALTHY, "web": State.WAITING}
        assert shop.service("web").message == "waiting for db"
        assert [*shop.written] == ["db"]
        assert shop.wake_at == 11
        assert shop.look(11)["web"] is State.PENDING
        assert [*shop.written] == ["db", "web"]

    def test_it_waits_without_a_limit(self, shop):
        shop.set("db", replace(pod("pulling"), sandbox_ready=True))
        shop.look(1)
        assert shop.look(3010)["web"] is State.WAITING
        assert shop.service("db").message == "pulling for 50m"

    def test_when_the_other_fails_it_has_not_begun(self, shop):
        shop.set("db", waiting("ErrImagePull", TAG_MISSING, "db:1"))
        assert shop.look(1) == {"db": State.FAILED, "web": State.FAILED}
        web = shop.service("web")
        assert (web.reason, web.message) == ("NotBegun", "not begun: db has failed: image pull failed: tag not found")
        assert shop.condition() == "2 of 2 failed: db: image pull failed: tag not found, and with it web"
        assert shop.status.rollout.finished_at is not None

    def test_when_the_other_heals_it_begins_though_the_rollout_has_finished(self, shop):
        shop.set("db", waiting("ErrImagePull", TAG_MISSING, "db:1"))
        shop.look(1)
        shop.set("db", pod("ready"))
        assert shop.look(60)["web"] is State.WAITING
        shop.look(70)
        assert [*shop.written] == ["db", "web"]

    def test_on_an_update_the_old_version_serves_on(self, shop):
        shop.look(1)
        shop.look(11)
        shop.set("web", pod("ready"))
        shop.look(12)
        shop.look(22)
        assert shop.status.rollout.success
        before = dict(shop.written)
        shop.deploy(db="db:2", web="web:2")
        shop.set("db", pod("ready"))
        shop.set("web", pod("ready"), image="web:1")
        assert shop.look(30)["web"] is State.WAITING
        assert (shop.written["web"], shop.written["db"] != before["db"]) == (before["web"], True)
        assert shop.service("web").replicas.serving == 1
        shop.look(40)
        assert shop.written["web"] != before["web"]

    def test_a_service_that_does_not_change_does_not_wait(self, shop):
        shop.look(1)
        shop.look(11)
        shop.set("web", pod("ready"))
        shop.look(12)
        shop.look(22)
        shop.deploy(db="db:2")
        shop.set("db", pod("pulling"))
        assert shop.look(30)["web"] is State.HEALTHY

    def test_a_chain_begins_link_by_link_and_names_its_root(self):
        shop = Shop("c", "b", "a", after={"a": ("b",), "b": ("c",)})
        shop.set("c", waiting("ErrImagePull", "failed to resolve reference: c:1: not found", "c:1"))
        assert set(shop.look(1).values()) == {State.FAILED}
        assert shop.service("a").message == "not begun: c has failed: image pull failed: tag not found"


def _without_replicas(state: DesiredState, service: str) -> DesiredState:
    return DesiredState(
        tuple(
            replace(part, wanted=replace(part.wanted, replicas=0)) if part.name == service else part
            for part in state.parts
        )
    )
