"""A service with a volume whose new version fails: the one before comes back."""

from datetime import timedelta

import pytest

from mill_api.service_status import State
from tests.support.rollouts import HOUR, NOT_FOUND, World, failed, healthy, pending


class TestRolledBack:
    """A service with a volume: its old pod had to end before the new one, which fails, could start."""

    GOOD, BAD = "aaaaaaaaaa", "bbbbbbbbbb"

    def work(self, world: World) -> World:
        return world.look(healthy("db", recreated=True)).look(healthy("db", recreated=True), after=10)

    def fail(self, world: World) -> World:
        self.work(world).deploy()
        return world.look(failed("db", template=self.BAD, recreated=True, evidence="its words"))

    def test_the_status_names_the_working_and_the_failed_version(self, world):
        db = self.fail(world).service("db")
        assert (db.healthy_template, db.failed_template) == (self.GOOD, self.BAD)

    def test_a_rolled_back_service_keeps_its_verdict_whatever_runs(self, world):
        told = self.fail(world).told()
        world.look(pending("db", template=self.BAD, recreated=True), rolled_back=("db",), after=HOUR)
        db = world.service("db")
        assert (db.state, db.message, db.evidence) == (State.FAILED, NOT_FOUND, "its words")
        assert (world.told(), world.kstatus) == (told, "Failed")

    @pytest.mark.parametrize("request_id", ["", "again"])
    def test_a_new_request_tries_the_failed_version_again(self, world, request_id):
        self.fail(world).deploy(request=request_id)
        world.look(pending("db", template=self.BAD, recreated=True))
        assert world.service("db").failed_template is None
        world.look(failed("db", template=self.BAD, recreated=True))
        assert world.service("db").failed_template == self.BAD

    @pytest.mark.parametrize(
        "code",
        [
            "TagNotFound",
            "WrongPlatform",
            "InvalidImageName",
            "CommandNotFound",
            "ExecFormatError",
            "InterpreterNotFound",
            "ContainerExited",
            "OutOfMemory",
            "ProgramEnded",
            "HealthCheckTimeout",
        ],
    )
    def test_a_version_is_taken_back_for_its_own_faults(self, world, code):
        self.work(world).deploy()
        world.look(failed("db", code, template=self.BAD, recreated=True))
        assert world.service("db").failed_template == self.BAD

    @pytest.mark.parametrize(
        "code",
        [
            "RegistryUnavailable",
            "PullRateLimited",
            "ImagePullFailed",
            "PullTimeout",
            "NodeLost",
            "SandboxFailed",
            "VolumeNotFound",
            "VolumeNotMounted",
            "VolumeNotProvisioned",
            "ContainerConfigError",
            "SecretNotFound",
            "Unschedulable",
            "QuotaExceeded",
            "PodsRefused",
            "ReadinessGate",
            "InternalError",
        ],
    )
    def test_a_version_is_not_taken_back_for_a_fault_of_the_cluster(self, world, code):
        """The working version would meet it too, and the new one may be good."""
        self.work(world).deploy()
        world.look(failed("db", code, template=self.BAD, recreated=True))
        assert (world.service("db").state, world.service("db").failed_template) == (State.FAILED, None)

    def test_a_version_that_makes_no_progress_is_not_taken_back(self, world):
        """Nothing is known against it."""
        self.work(world).deploy()
        world.look(pending("db", template=self.BAD, recreated=True))
        world.look(pending("db", template=self.BAD, recreated=True), after=HOUR)
        assert (world.service("db").reason, world.service("db").failed_template) == ("Timeout", None)

    def test_a_first_version_is_not_rolled_back(self, world):
        assert world.look(failed("db", recreated=True)).service("db").failed_template is None

    def test_a_version_that_worked_before_it_failed_is_not_rolled_back(self, world):
        self.work(world).look(failed("db", "ContainerExited", recreated=True))
        assert world.service("db").failed_template is None

    def test_a_version_works_when_it_has_settled(self, world):
        self.work(world).deploy()
        bad = {"template": self.BAD, "recreated": True, "settle": 10}
        world.look(healthy("db", **bad), after=0)
        assert world.wake_at == world.now + timedelta(seconds=10)
        world.look(healthy("db", **bad), after=9)
        assert world.service("db").healthy_template == self.GOOD
        world.look(failed("db", "ContainerExited", **bad), after=1)
        assert world.service("db").failed_template == self.BAD

    def test_a_version_that_works_is_the_target_of_a_rollback(self, world):
        self.work(world).deploy()
        for after in (0, 10):
            world.look(healthy("db", template=self.BAD, recreated=True, settle=10), after=after)
        assert world.service("db").healthy_template == self.BAD
        assert world.wake_at is None

    def test_services_without_volumes_are_not_rolled_back(self, world):
        world.look(healthy("web")).deploy()
        assert world.look(failed("web", template=self.BAD)).service("web").failed_template is None
