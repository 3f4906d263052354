"""Objects are rendered one at a time, and equal those of a rendering of the whole spec."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mill_api.endpoints import endpoint
from mill_api.owner import Owner
from mill_api.references import OPEN
from mill_api.spec import MillDeploymentSpec
from mill_objects.key import Key
from mill_operator.core.internal_errors import InternalError
from mill_operator.core.objects import rendering
from mill_operator.core.objects.desired import RenderedObject, service_recipes, task_recipes
from mill_operator.core.objects.pods import DEFAULTS
from mill_operator.core.objects.rendering import DesiredState, ParsedSpec

OWNER = Owner(Key("shop", "production"), "0123-uid")
NAMES = ("web", "db", "cache")
VALUES = st.text(max_size=8).filter(lambda text: OPEN not in text) | st.sampled_from(
    [
        "",
        "${secret(a)}",
        "x${secret(a)}${secret(b)}",
        "${service.web.address}",
        "${service.db.address}/$(X)",
        "${service.db.host}:${service.db.port}",
        "${service.web.url}",
        "$${x}",
    ]
)
PROGRAMS = st.fixed_dictionaries(
    {"image": st.sampled_from(["a:1", "b:2"])},
    optional={
        "env": st.dictionaries(st.sampled_from(["A", "B", "PORT", "MILL_SECRET_1"]), VALUES),
        "command": st.lists(VALUES, max_size=2),
        "args": st.lists(VALUES, max_size=2),
        "memory": st.sampled_from(["1Gi", 256000000]),
    },
)
SERVICES = st.fixed_dictionaries(
    {"program": PROGRAMS},
    optional={
        "port": st.integers(1, 65535),
        "replicas": st.integers(0, 1),
        "volumes": st.sampled_from([[], [{"name": "data", "path": "/data", "size": "1Gi"}]]),
    },
)
TASKS = st.fixed_dictionaries({"program": PROGRAMS}, optional={"timeout": st.sampled_from(["1h", "30s"])})
SPECS = st.builds(
    lambda services, tasks: {"services": _named(services), "tasks": _named(tasks)},
    st.dictionaries(st.sampled_from(NAMES), SERVICES),
    st.dictionaries(st.sampled_from(("migrate", "clean")), TASKS),
)
RESTARTS = st.dictionaries(st.sampled_from((*NAMES, "nobody")), st.sampled_from(["1", "2"]))


def _named(programs: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"name": name, **each["program"], **each} | {"program": None} for name, each in programs.items()]


def all_at_once(spec: dict[str, Any], restarts: dict[str, str]) -> list[RenderedObject]:
    """Make every object from the models of the whole spec."""
    whole = MillDeploymentSpec.model_validate(spec)
    endpoints = {
        each.name: endpoint(each.port, ((route.host, route.path) for route in each.routes)) for each in whole.services
    }
    recipes = [
        recipe
        for each in whole.services
        for recipe in service_recipes(OWNER, each, endpoints, restarts.get(each.name), DEFAULTS, "")
    ]
    recipes += [recipe for each in whole.tasks for recipe in task_recipes(OWNER, each, endpoints, DEFAULTS)]
    return [recipe.render() for recipe in recipes]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(SPECS, RESTARTS)
def test_an_object_rendered_alone_equals_one_rendered_with_all(spec: dict[str, Any], restarts: dict[str, str]) -> None:
    expected = all_at_once(spec, restarts)
    source = ParsedSpec(OWNER, spec, restarts)
    children = source.desired().children
    assert list(children) == [each.child for each in expected]
    assert [source.render(child) for child in reversed(children)] == expected[::-1]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(SPECS, RESTARTS, SPECS, RESTARTS)
def test_an_earlier_desired_state_does_not_change_the_result(
    before: dict[str, Any], restarts_before: dict[str, str], spec: dict[str, Any], restarts: dict[str, str]
) -> None:
    known = ParsedSpec(OWNER, before, restarts_before).desired()
    assert ParsedSpec(OWNER, spec, restarts).desired(known) == ParsedSpec(OWNER, spec, restarts).desired()


def refers_to(state: DesiredState) -> dict[str, tuple[str, ...]]:
    return {each.name: each.refers_to for each in state.services}


def test_a_desired_service_knows_what_it_depends_on() -> None:
    services = [
        {"name": "web", "image": "web:1", "env": {"DB": "postgres://db.shop:5432", "SELF": "web"}, "after": ["api"]},
        {"name": "api", "image": "api:1", "env": {"DB": "db"}},
        {"name": "db", "image": "db:1", "env": {"WEB": "db.elsewhere"}},
    ]
    wanted = ParsedSpec(OWNER, {"services": services}, {}).desired()
    assert {each.name: (each.refers_to, each.after) for each in wanted.services} == {
        "web": (("db",), ("api",)),
        "api": (("db",), ()),
        "db": ((), ()),
    }


def test_a_service_that_cannot_be_rendered_knows_what_it_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "service_recipes", lambda *_: 1 / 0)
    services = [{"name": "web", "image": "web:1", "env": {"DB": "db"}}, {"name": "db", "image": "db:1"}]
    wanted = ParsedSpec(OWNER, {"services": services}, {}).desired()
    assert refers_to(wanted) == {"web": ("db",), "db": ()}
    assert all(each.internal_error for each in wanted.services)


class TestOnlyChangesAreRendered:
    SPEC: dict[str, Any] = {  # noqa: RUF012 - never changed
        "services": [
            {"name": "web", "image": "web:1", "port": 80, "env": {"DB": "${service.db.address}"}},
            {"name": "db", "image": "db:1", "port": 5432},
            {"name": "cache", "image": "cache:1"},
        ],
        "tasks": [{"name": "migrate", "image": "web:1"}],
    }

    @pytest.fixture
    def made(self, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
        """Return how often each service or task was rendered."""
        made: Counter[str] = Counter()

        def counting(make: Any) -> Any:
            def count(owner: Owner, program: Any, *more: Any) -> Any:
                made[program.name] += 1
                return make(owner, program, *more)

            return count

        monkeypatch.setattr(rendering, "service_recipes", counting(service_recipes))
        monkeypatch.setattr(rendering, "task_recipes", counting(task_recipes))
        return made

    def changed(self, index: int, **change: Any) -> dict[str, Any]:
        services = [each | (change if at == index else {}) for at, each in enumerate(self.SPEC["services"])]
        return {**self.SPEC, "services": services}

    def again(self, spec: dict[str, Any], made: Counter[str], restarts: dict[str, str] | None = None) -> DesiredState:
        known = ParsedSpec(OWNER, self.SPEC, {}).desired()
        made.clear()
        return ParsedSpec(OWNER, spec, restarts or {}).desired(known)

    def test_nothing(self, made: Counter[str]) -> None:
        self.again(self.SPEC, made)
        assert made == Counter()

    def test_one_service(self, made: Counter[str]) -> None:
        self.again(self.changed(2, image="cache:2"), made)
        assert made == Counter(["cache"])

    def test_a_restart(self, made: Counter[str]) -> None:
        self.again(self.SPEC, made, {"db": "now"})
        assert made == Counter(["db"])

    def test_another_service_whose_name_a_value_has(self, made: Counter[str]) -> None:
        """The part of `cache` is not made again, although it depends on a service that it did not depend on."""
        spec = self.changed(2, env={"HOST": "queue"})
        known = ParsedSpec(OWNER, spec, {}).desired()
        assert refers_to(known) == {"web": ("db",), "db": (), "cache": ()}
        made.clear()
        more = {**spec, "services": [*spec["services"], {"name": "queue", "image": "queue:1"}]}
        wanted = ParsedSpec(OWNER, more, {}).desired(known)
        assert made == Counter(["web", "queue"])  # `web` has an address in its text
        assert refers_to(wanted) == {"web": ("db",), "db": (), "cache": ("queue",), "queue": ()}
        assert refers_to(ParsedSpec(OWNER, spec, {}).desired(wanted)) == refers_to(known)

    def test_a_port_and_the_services_that_refer_to_its_address(self, made: Counter[str]) -> None:
        self.again(self.changed(1, port=5433), made)
        assert made == Counter(["web", "db"])

    def test_the_object_that_is_written(self, made: Counter[str]) -> None:
        source = ParsedSpec(OWNER, self.SPEC, {})
        (task,) = [each for each in source.desired().children if each.service is None]
        made.clear()
        source.render(task)
        assert made == Counter(["migrate"])


class TestInternalErrors:
    """Of one service or task."""

    SPEC = TestOnlyChangesAreRendered.SPEC

    def broken(self, patch: pytest.MonkeyPatch, name: str) -> None:
        def failing(make: Any) -> Any:
            def fail(owner: Owner, program: Any, *more: Any) -> Any:
                if program.name == name:
                    raise OverflowError(name)
                return make(owner, program, *more)

            return fail

        patch.setattr(rendering, "service_recipes", failing(service_recipes))
        patch.setattr(rendering, "task_recipes", failing(task_recipes))

    @pytest.mark.parametrize(("name", "kind"), [("web", "service"), ("migrate", "task")])
    def test_the_others_are_rendered_and_the_failed_one_is_retried(
        self, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
    ) -> None:
        good = ParsedSpec(OWNER, self.SPEC, {}).desired()
        with monkeypatch.context() as patch:
            self.broken(patch, name)
            faulty = ParsedSpec(OWNER, self.SPEC, {}).desired()
        assert faulty.unrendered == {(kind, name)}
        assert faulty.children == tuple(child for child in good.children if child.program != (kind, name))
        assert [each.name for each in faulty.services] == ["web", "db", "cache"]
        assert [each.name for each in faulty.services if each.internal_error] == [name] * (kind == "service")
        assert list(faulty.tasks) == [name] * (kind == "task")
        assert ParsedSpec(OWNER, self.SPEC, {}).desired(faulty) == good

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"port": 8080},
            {"port": 8080, "health": {"start": "5s"}},
            {"health": {"command": ["check"]}},
            {"health": {"grpc": "", "port": 9000}},
            {"live": {"command": ["check"]}},
        ],
    )
    def test_a_service_that_cannot_be_rendered_is_known_to_be_probed(
        self, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
    ) -> None:
        spec = {"services": [{"name": "web", "image": "a:1"} | fields]}
        (good,) = ParsedSpec(OWNER, spec, {}).desired().services
        with monkeypatch.context() as patch:
            self.broken(patch, "web")
            (faulty,) = ParsedSpec(OWNER, spec, {}).desired().services
        assert faulty.internal_error is not None
        assert faulty.probed == good.probed

    def test_errors_of_rendering_for_a_write_count_as_well(self) -> None:
        good = ParsedSpec(OWNER, self.SPEC, {}).desired()
        internal_error = InternalError("OverflowError", "0123456789")
        faulty = good.with_internal_errors({("service", "db"): internal_error, ("task", "migrate"): internal_error})
        assert faulty.unrendered == {("service", "db"), ("task", "migrate")}
        assert [(each.name, each.internal_error) for each in faulty.services if each.internal_error] == [
            ("db", internal_error)
        ]
        assert faulty.services[1].template == good.services[1].template
        assert faulty.tasks == {"migrate": internal_error}
        assert {child.program for child in faulty.children} == {("service", "web"), ("service", "cache")}
        assert ParsedSpec(OWNER, self.SPEC, {}).desired(faulty) == good
        assert good.with_internal_errors({}) is good


def test_a_task_and_a_service_of_the_same_name_and_content_are_two() -> None:
    spec = {"services": [{"name": "web", "image": "a:1"}], "tasks": [{"name": "web", "image": "a:1"}]}
    source = ParsedSpec(OWNER, spec, {})
    assert [each.kind for each in source.desired(source.desired()).children] == ["Deployment", "CronJob"]
