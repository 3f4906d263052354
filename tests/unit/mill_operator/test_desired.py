"""The desired objects of a MillDeployment. Golden files ensure that a new operator restarts no pod of an older one.

`MILL_UPDATE_GOLDEN=1 pytest tests/unit/mill_operator/test_desired.py` writes them anew: read the difference.
"""

import json
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from mill_api.durations import LONGEST, to_timedelta
from mill_api.environment import container_texts
from mill_api.owner import Owner
from mill_api.spec import Health, MillDeploymentSpec, Service
from mill_objects.key import Key
from mill_operator.core.objects.desired import RenderedObject, with_template
from mill_operator.core.objects.pods import DEFAULTS, RenderOptions
from mill_operator.core.objects.probes import start_budget
from mill_operator.core.objects.rendering import source
from mill_operator.core.objects.service import DesiredService
from mill_operator.core.objects.tls import former_names
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.ingresses import ObservedIngress
from tests.support.children import OBSERVED

GOLDEN = Path(__file__).parent / "golden"
OWNER = Owner(Key("shop", "production"), "0123-uid")
DB = {"name": "db", "image": "postgres:17", "port": 5432}

SERVICES: dict[str, dict[str, Any]] = {
    "health": {"port": 8080, "replicas": 2, "health": {"path": "/healthz", "interval": "20s", "failureThreshold": 5}},
    "check-path": {
        "port": 8080,
        "ports": [{"name": "admin", "number": 9001}],
        "health": {"path": "/up", "port": "admin", "headers": {"Host": "shop.example.com"}, "timeout": "1500ms"},
        "update": {"surge": "25%"},
    },
    "check-command": {
        "health": {"command": ["check", "$5", "$(HOME)"], "start": "20m"},
        "update": {"surge": 1},
    },
    "check-grpc": {"health": {"grpc": "shop.v1.Cart", "port": 50051}},
    "check-server": {"port": 50051, "health": {"grpc": ""}},
    "check-port": {"port": 8080, "health": {"port": 25, "failureThreshold": 5}},
    "live": {
        "port": 8080,
        "health": {"path": "/healthz"},
        "live": {"path": "/alive", "headers": {"Host": "shop.example.com"}, "interval": "20s", "failureThreshold": 10},
        "stop": "45s",
    },
    "live-port": {"port": 8080, "live": {"port": 8080}},
    "live-worker": {"live": {"command": ["alive", "$5"], "timeout": "2s"}, "stop": "2m"},
    "no-health": {"port": 8080, "cpu": "500m", "memory": "512M"},
    "no-port": {},
    "volumes": {
        "port": 8080,
        "volumes": [
            {"name": "data", "path": "/data", "size": "5Gi"},
            {"name": "cache", "path": "/cache", "ephemeral": True},
            {"name": "small", "path": "/small", "ephemeral": True, "size": "1Gi"},
        ],
    },
    "routes": {
        "port": 8080,
        "routes": [
            {"host": "www.example.com", "path": "/"},
            {"host": "api.example.com", "path": "/v1"},
            {"host": "www.example.com", "path": "/shop", "websocket": True},
        ],
    },
    "environment": {
        "env": {
            "ADDRESS": "${service.db.address}",
            "LITERAL": "costs $5, not $(FIVE) or $${secret(x)}",
            "MIXED": "postgres://${secret(db.user)}:${secret(db.password)}@${service.db.address}/app",
            "TWICE": "${secret(db.user)}/${secret(db.user)}",
            "WHOLE": "${secret(db.password)}",
            "EMPTY": "",
        },
    },
    "pod": {
        "user": 1000,
        "group": 2000,
        "readOnlyRoot": True,
        "pull": "registry",
        "limits": {"cpu": "none", "memory": "1G"},
        "gpu": {"nvidia.com/gpu": 1},
        "place": {"arch": "arm64", "labels": {"disk": "ssd"}},
    },
    "command": {"command": ["serve", "--price=$5", "$(HOME)"]},
    "files": {
        "volumes": [{"name": "files", "path": "/data", "ephemeral": True}],
        "files": [
            {"path": "/etc/app.conf", "content": "db = ${service.db.address}\nhome = ${HOME}, $5, $(FIVE)\n"},
            {"path": "/run/secrets/db-password", "secret": "db.password"},
            {"path": "/usr/local/bin/start it", "content": "#!/bin/sh\n", "mode": "0755"},
        ],
    },
    "arguments": {"args": ["serve", "--db=${service.db.address}", "--key=${secret(web.key)}", "$(HOME)"]},
}
TASK = {"name": "migrate", "image": "web:2", "command": ["migrate", "$1"], "env": {"DB": "${secret(db.url)}"}}
TASKS = {
    "task": TASK,
    "task-stop": {**TASK, "stop": "1m"},
    "task-files": {
        **TASK,
        "files": [{"path": "/etc/app.conf", "content": "a = 1"}, {"path": "/run/db-url", "secret": "db.url"}],
    },
}


@dataclass
class Made:
    """All objects, each with its content."""

    children: list[RenderedObject]
    services: list[DesiredService]


def made_of(
    spec: dict[str, Any],
    restarts: dict[str, str] | None = None,
    options: RenderOptions = DEFAULTS,
    former_tls: frozenset[str] = frozenset(),
    owner: Owner = OWNER,
) -> Made:
    origin = source(owner, MillDeploymentSpec.model_validate(spec), restarts or {}, options, former_tls)
    wanted = origin.desired()
    rendered = [origin.render(child) for child in wanted.children]
    assert [each.child for each in rendered] == list(wanted.children), "the hash is that of what is written"
    return Made(rendered, list(wanted.services))


def make(
    *services: dict[str, Any], tasks: tuple[dict[str, Any], ...] = (), restarts: dict[str, str] | None = None
) -> Made:
    return made_of({"services": services, "tasks": tasks}, restarts)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, {"schedule": "0 0 31 2 *", "suspend": True}),
        (
            {"schedule": "0 3 * * *"},
            {
                "schedule": "0 3 * * *",
                "suspend": False,
                "concurrencyPolicy": "Forbid",
                "startingDeadlineSeconds": 600,
            },
        ),
        (
            {"schedule": "@daily", "timezone": "Europe/Berlin", "overlap": True, "deadline": "1h"},
            {
                "schedule": "@daily",
                "timeZone": "Europe/Berlin",
                "suspend": False,
                "concurrencyPolicy": "Allow",
                "startingDeadlineSeconds": 3600,
            },
        ),
    ],
)
def test_a_task_runs_by_itself_only_on_its_schedule(more: dict[str, Any], expected: dict[str, Any]) -> None:
    spec = one(make(tasks=({**TASK, **more},)), "CronJob", "migrate").body["spec"]
    limits = ("successfulJobsHistoryLimit", "failedJobsHistoryLimit", "jobTemplate")
    assert {name: value for name, value in spec.items() if name not in limits} == expected
    # When a task runs is no part of its runs: they stay as they are.
    assert spec["jobTemplate"] == one(make(tasks=(TASK,)), "CronJob", "migrate").body["spec"]["jobTemplate"]


def web(**more: Any) -> dict[str, Any]:
    return {"name": "web", "image": "web:2", **more}


def one(made: Made, kind: str, name: str = "web") -> RenderedObject:
    (found,) = (each for each in made.children if (each.child.kind, each.child.key.name) == (kind, name))
    return found


def template(**more: Any) -> str:
    return next(each.template for each in make(DB, web(**more)).services if each.name == "web")


@pytest.mark.parametrize("case", [*SERVICES, *TASKS])
def test_objects_are_as_in_the_golden_file(case):
    made = make(tasks=(TASKS[case],)) if case in TASKS else make(DB, web(**SERVICES[case]))
    ours = [each.body for each in made.children if each.child.service != "db"]
    bodies = [json.loads(json.dumps(each)) for each in ours]  # no YAML aliases
    text = yaml.safe_dump_all(bodies, sort_keys=False)
    golden = GOLDEN / f"{case}.yaml"
    if os.environ.get("MILL_UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


def test_a_pod_has_no_common_label_whose_value_a_file_chooses() -> None:
    """Services and NetworkPolicies of others select by such labels, and objects are selected by Mill's own."""
    made = make(web(port=8080), tasks=(TASK,))
    templates = [one(made, "Deployment").body["spec"]["template"], _run_of(one(made, "CronJob", "migrate"))]
    for each in templates:
        labels = each["metadata"]["labels"]
        assert {name: value for name, value in labels.items() if not name.startswith("mill.dev/")} == {
            "app.kubernetes.io/managed-by": "mill"
        }
    selector = one(made, "Deployment").body["spec"]["selector"]["matchLabels"]
    assert selector.items() <= templates[0]["metadata"]["labels"].items()
    assert one(made, "Service").body["spec"]["selector"] == selector


def _run_of(cron_job: RenderedObject) -> Any:
    return cron_job.body["spec"]["jobTemplate"]["spec"]["template"]


class TestOptions:
    def options(self, **options: Any) -> Made:
        routes = [{"host": "www.example.com"}, {"host": "shop.example.com"}]
        spec = {"services": [web(port=8080, routes=routes)], "tasks": [TASK]}
        return made_of(spec, options=RenderOptions(**options))

    def pods(self, made: Made) -> list[dict[str, Any]]:
        job = one(made, "CronJob", "migrate").body["spec"]["jobTemplate"]
        return [each["spec"]["template"]["spec"] for each in (one(made, "Deployment").body, job)]

    def test_a_named_account_is_every_pod_s(self):
        assert [pod["serviceAccountName"] for pod in self.pods(self.options(service_account="puller"))] == [
            "puller"
        ] * 2

    def test_restricted_containers_have_no_root_and_no_capabilities(self):
        for pod in self.pods(self.options(restricted=True)):
            assert pod["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
            assert [each["securityContext"] for each in pod["containers"]] == [
                {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}}
            ]

    def test_routes_have_a_class_and_a_certificate_for_all_their_hosts(self):
        made = one(self.options(ingress_class="nginx", tls_issuer="letsencrypt"), "Ingress").body
        assert made["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == "letsencrypt"
        assert made["spec"]["ingressClassName"] == "nginx"
        assert made["spec"]["tls"] == [
            {"hosts": ["www.example.com", "shop.example.com"], "secretName": "web-tls-4844fae32e"}
        ]

    def secret(self, owner: Owner = OWNER, *hosts: str, **changes: Any) -> str:
        """Return the name of the TLS Secret of a service."""
        routes = [{"host": host} for host in hosts or ("www.example.com",)]
        services = [{**DB, "routes": [{"host": "db.example.com"}]}, web(port=8080, routes=routes)]
        made = made_of({"services": services}, None, RenderOptions(tls_issuer="letsencrypt"), owner=owner, **changes)
        (entry,) = one(made, "Ingress").body["spec"]["tls"]
        return str(entry["secretName"])

    def test_a_new_tls_secret_has_a_name_that_no_tenant_chooses(self):
        other = Owner(OWNER.key, "another-uid")
        assert re.fullmatch(r"web-tls-[0-9a-f]{10}", self.secret())
        assert self.secret(other) != self.secret()
        assert self.secret(OWNER, "other.example.com", "more.example.com") == self.secret(), "no new certificate"

    def test_an_ingress_with_the_former_name_of_its_tls_secret_keeps_it(self):
        assert self.secret(former_tls=frozenset({"web"})) == "web-tls"
        assert self.secret(former_tls=frozenset({"db"})) == self.secret()

    def test_the_former_name_is_recognized_by_service(self):
        def child(service: str, secret: str) -> ObservedChild:
            return replace(OBSERVED, kind="Ingress", service=service, ingress=ObservedIngress((), None, secret))

        found = [child("web", "web-tls"), child("api", "web-tls"), child("db", "db-tls-0123456789"), child("x", "")]
        assert former_names([*found, replace(OBSERVED, service="d")]) == {"web"}


def test_the_template_of_another_version_changes_the_hash_and_nothing_else():
    deployment = one(make(web()), "Deployment")
    other = with_template(deployment, {"metadata": {"labels": {}}, "spec": {}})
    assert other.body["spec"] == {**deployment.body["spec"], "template": {"metadata": {"labels": {}}, "spec": {}}}
    assert other.child.applied != deployment.child.applied
    assert other.body["metadata"]["annotations"] == {"mill.dev/applied": other.child.applied}


class TestTemplate:
    def test_replicas_and_routes_do_not_change_the_template(self):
        plain = template(port=8080)
        assert template(port=8080, replicas=3) == plain
        assert template(port=8080, routes=[{"host": "www.example.com"}]) == plain

    @pytest.mark.parametrize(
        "change",
        [
            {"image": "web:3"},
            {"port": 8080},
            {"cpu": "1"},
            {"memory": "1G"},
            {"command": ["x"]},
            {"env": {"A": "1"}},
            {"volumes": [{"name": "a", "path": "/a", "ephemeral": True}]},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_everything_that_a_container_gets_changes_the_template(self, change):
        assert template(**change) != template()

    def test_the_order_of_the_environment_counts_since_kubernetes_keeps_it(self):
        """A variable can name only those before it. The API server sends maps sorted, so that order is stable."""
        assert template(env={"A": "1", "B": "2"}) != template(env={"B": "2", "A": "1"})

    def test_other_services_count_only_by_a_referenced_address(self):
        alone = make(web()).services[0].template
        assert template() == alone
        other = make({**DB, "port": 5433}, web(env={"DB": "${service.db.address}"})).services[1].template
        assert other != template(env={"DB": "${service.db.address}"})

    def test_a_restart_changes_the_template_of_that_service_alone(self):
        before, after = make(DB, web()).services, make(DB, web(), restarts={"web": "1"}).services
        assert before[0].template == after[0].template
        assert before[1].template != after[1].template

    def test_its_hash_is_the_label_of_the_pods(self):
        made = make(web())
        labels = one(made, "Deployment").body["spec"]["template"]["metadata"]["labels"]
        assert labels["mill.dev/template"] == made.services[0].template


class TestObjects:
    def test_without_replicas_in_the_spec_an_autoscaler_sets_them(self):
        assert "replicas" not in one(make(web()), "Deployment").body["spec"]
        assert one(make(web(replicas=0)), "Deployment").body["spec"]["replicas"] == 0

    def test_a_volume_has_no_owner_and_its_service_is_recreated(self):
        made = make(web(volumes=[{"name": "data", "path": "/data", "size": "1Gi"}]))
        assert "ownerReferences" not in one(made, "PersistentVolumeClaim", "data").body["metadata"]
        assert one(made, "Deployment").body["spec"]["strategy"] == {"type": "Recreate"}

    def test_everything_else_has_an_owner(self):
        made = make(web(port=80, routes=[{"host": "www.example.com"}]), tasks=(TASK,))
        assert {each.child.kind for each in made.children} == {"Deployment", "Service", "Ingress", "CronJob"}
        for child in made.children:
            (owner,) = child.body["metadata"]["ownerReferences"]
            assert (owner["uid"], owner["controller"]) == ("0123-uid", True)

    def test_a_task_s_pods_are_no_service_s(self):
        job = one(make(tasks=(TASK,)), "CronJob", "migrate").body["spec"]["jobTemplate"]
        assert "mill.dev/service" not in job["spec"]["template"]["metadata"]["labels"]

    @pytest.mark.parametrize(("timeout", "seconds"), [("1h", 3600), ("500ms", 1), ("1.2s", 2), ("0s", None)])
    def test_a_task_s_time_is_its_job_s_whole_seconds_and_none_only_if_it_has_none(self, timeout, seconds):
        job = one(make(tasks=({**TASK, "timeout": timeout},)), "CronJob", "migrate").body["spec"]["jobTemplate"]
        assert job["spec"].get("activeDeadlineSeconds") == seconds

    def test_the_hash_of_an_object_changes_with_it(self):
        assert one(make(web()), "Deployment").child.applied != one(make(web(replicas=2)), "Deployment").child.applied
        assert one(make(web()), "Deployment").child.applied == one(make(web()), "Deployment").child.applied

    @pytest.mark.parametrize(
        ("health", "budget"),
        [
            (None, 30),
            ({"path": "/"}, 30),
            ({"path": "/", "interval": "20s", "failureThreshold": 5}, 100),
            ({"path": "/", "interval": "20s", "failureThreshold": 5, "start": "45s"}, 45),
            ({"path": "/", "start": "5s"}, 5),
            ({"start": "3m"}, 180),
            ({"path": "/", "start": "1h"}, 3600),
        ],
    )
    def test_the_budget_of_a_start_is_its_own_or_what_its_health_check_allows(self, health, budget):
        (wanted,) = make(web(port=80, health=health)).services
        assert wanted.request.budget.total_seconds() == budget

    @pytest.mark.parametrize(
        ("health", "checks"),
        [
            ({"path": "/"}, 600),
            ({"path": "/", "interval": "1m", "failureThreshold": 60}, 600),
            ({"path": "/", "start": "9m"}, 600),
            ({"path": "/", "start": "540.5s"}, 601),
            ({"path": "/", "start": "10m"}, 660),
            ({"path": "/", "start": "1h"}, 3660),
        ],
    )
    def test_the_kubelet_gives_up_a_start_after_the_judge_has(self, health, checks):
        container = self.container(web(port=80, health=health))
        assert container["startupProbe"]["failureThreshold"] == checks

    @pytest.mark.parametrize(
        ("service", "sleep", "stop_seconds"),
        [
            ({"port": 80}, 5, 15),
            ({"port": 80, "replicas": 0}, 5, 15),
            ({"port": 80, "volumes": [{"name": "a", "path": "/a", "ephemeral": True}]}, 5, 15),
            ({"port": 80, "volumes": [{"name": "a", "path": "/a", "size": "1Gi"}]}, None, 10),
            ({}, None, 10),
            ({"stop": "45s"}, None, 45),
            ({"stop": "1.5s"}, None, 2),
            ({"port": 80, "stop": "45s"}, 5, 50),
        ],
    )
    def test_a_pod_that_serves_leaves_its_service_before_it_stops(self, service, sleep, stop_seconds):
        made = make(web(**service))
        pod = one(made, "Deployment").body["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert container.get("lifecycle") == (sleep and {"preStop": {"sleep": {"seconds": sleep}}})
        assert pod["terminationGracePeriodSeconds"] == stop_seconds

    def test_a_start_time_alone_is_no_check_and_no_other_template(self):
        assert template(port=80, health={"start": "20m"}) == template(port=80)
        assert template(port=80, health={"path": "/", "start": "9m"}) == template(port=80, health={"path": "/"})

    def container(self, service):
        (container,) = one(make(service), "Deployment").body["spec"]["template"]["spec"]["containers"]
        return container

    @pytest.mark.parametrize(
        ("update", "option", "seconds", "ready_seconds"),
        [
            (None, "10s", 10, 11),
            (None, "1m", 60, 61),
            ({}, "1m", 60, 61),
            ({"settle": "0s"}, "10s", 0, 0),
            ({"settle": "250ms"}, "10s", 0.25, 2),
            ({"settle": "1m30s"}, "10s", 90, 91),
            ({"settle": "5m"}, "0s", 300, 301),
        ],
    )
    def test_a_version_settles_in_the_time_of_its_service_or_of_the_setting(
        self, update, option, seconds, ready_seconds
    ):
        spec = {"services": [web(update=update)]}
        made = made_of(spec, options=RenderOptions(settle=to_timedelta(option)))
        (wanted,) = made.services
        assert wanted.settle.total_seconds() == seconds
        assert one(made, "Deployment").body["spec"]["minReadySeconds"] == ready_seconds

    def test_the_time_to_settle_is_no_part_of_the_template(self):
        assert template(update={"settle": "1m"}) == template()


class TestEnvironment:
    def test_an_own_variable_never_meets_a_helper_s_name(self):
        env = {"MILL_SECRET_1": "mine", "URL": "x${secret(a)}y${secret(b)}"}
        entries = container_texts(Service(name="web", image="a", env=env), namespace="shop", endpoints={})["env"]
        names = [each["name"] for each in entries]
        assert len(set(names)) == len(names)
        values = {each["name"]: each.get("value") for each in entries}
        assert values == {
            "MILL_SECRET_1": "mine",
            "MILL_SECRET_2": None,
            "MILL_SECRET_3": None,
            "URL": "x$(MILL_SECRET_2)y$(MILL_SECRET_3)",
        }

    def test_a_secret_precedes_the_variables_that_refer_to_it(self):
        service = Service(name="web", image="a", env={"URL": "x${secret(a)}"})
        names = [each["name"] for each in container_texts(service, namespace="shop", endpoints={})["env"]]
        assert names == ["MILL_SECRET_1", "URL"]

    def test_the_declared_port_wins_over_a_variable_of_its_name(self):
        body = one(make(web(port=8080, env={"PORT": "1"})), "Deployment").body
        assert body["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "PORT", "value": "8080"}]


class TestCommandsAndArguments:
    OTHERS = (
        {"name": "db", "image": "db:1", "port": 5432},
        web(name="shop", port=80, routes=[{"host": "*.example.com"}, {"host": "example.com", "path": "/shop/"}]),
    )

    def container(self, **fields):
        made = make({"name": "app", "image": "app:1", **fields}, *self.OTHERS)
        (container,) = one(made, "Deployment", "app").body["spec"]["template"]["spec"]["containers"]
        return container

    def test_arguments_keep_the_entry_point(self):
        container = self.container(args=["worker", "$(HOME) ${HOME}"])
        assert "command" not in container
        assert container["args"] == ["worker", "$$(HOME) $${HOME}"]

    @pytest.mark.parametrize("field", ["command", "args"])
    @pytest.mark.parametrize(
        ("word", "expected"),
        [
            ("${service.db.address}", "db.shop.svc:5432"),
            ("tcp://${service.db.host}/${service.db.port}", "tcp://db.shop.svc/5432"),
            ("${service.shop.url}/x", "https://example.com/shop/x"),
            ("echo ${HOME} $HOME", "echo $${HOME} $$HOME"),
            ("$${service.db.host}", "$${service.db.host}"),
            ("$$${secret(a)}", "$$$${secret(a)}"),
            ("${service.db.name} ${secret()}", "$${service.db.name} $${secret()}"),
        ],
    )
    def test_only_what_is_exactly_a_reference_is_one(self, field, word, expected):
        assert self.container(**{field: [word]})[field] == [expected]

    def test_a_reference_to_no_service_is_text_in_a_command_as_it_always_was(self):
        assert self.container(command=["${service.none.host}"])["command"] == ["$${service.none.host}"]
        assert self.container(command=["${service.db.url}"])["command"] == ["$${service.db.url}"]

    def test_a_secret_in_arguments_is_put_in_by_kubernetes(self):
        container = self.container(env={"A": "x${secret(a)}"}, args=["--a=${secret(a)}", "${secret(b)}"])
        assert container["args"] == ["--a=$(MILL_SECRET_1)", "$(MILL_SECRET_2)"]
        assert [each["name"] for each in container["env"]] == ["MILL_SECRET_1", "MILL_SECRET_2", "A"]
        keys = [each["valueFrom"]["secretKeyRef"]["key"] for each in container["env"][:2]]
        assert keys == ["a", "b"]


def test_the_time_for_a_start_can_be_counted_with_however_long_its_checks_take() -> None:
    health = Health(path="/", interval="99999999999h", failure_threshold=1000)
    assert start_budget(Service(name="web", image="web:1", port=80, health=health)) == LONGEST
