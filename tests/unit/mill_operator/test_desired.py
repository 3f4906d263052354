"""The desired objects of a MillDeployment. Golden files ensure that a new operator restarts no pod of an older one.

`MILL_UPDATE_GOLDEN=1 pytest tests/unit/mill_operator/test_desired.py` writes them anew: read the difference.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from mill_api.durations import LONGEST, to_timedelta
from mill_api.spec import Health, Service
from mill_operator.core.objects.desired import RenderedObject
from mill_operator.core.objects.pods import RenderOptions
from mill_operator.core.objects.probes import start_budget
from tests.support.rendered import DB, TASK, made_of, make, one, template, web

GOLDEN = Path(__file__).parent / "golden"

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
TASKS = {
    "task": TASK,
    "task-stop": {**TASK, "stop": "1m"},
    "task-files": {
        **TASK,
        "files": [{"path": "/etc/app.conf", "content": "a = 1"}, {"path": "/run/db-url", "secret": "db.url"}],
    },
}


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


def test_the_time_for_a_start_can_be_counted_with_however_long_its_checks_take() -> None:
    health = Health(path="/", interval="99999999999h", failure_threshold=1000)
    assert start_budget(Service(name="web", image="web:1", port=80, health=health)) == LONGEST
