"""What who runs the operator relies on: metrics, probes, logs, a clean end, and exactly the rights that it needs."""

import contextlib
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from hack.cluster import Cluster
from hack.install import local_processes as local
from hack.install.rights import install_rights, kubeconfig_of
from mill_kube.resources import CONFIG_MAPS, CONTROLLER_REVISIONS, JOBS, LEASES, VERSION
from mill_kube.rights import SYSTEM_NAMESPACE
from mill_operator.rbac import ACCOUNT

from .conftest import MILL, Namespace, wait_for
from .replica import Start, elected, replicas, without_the_operator
from .silent_link import SilentLink

pytestmark = pytest.mark.alone

WEB = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
  env { GREETING = "not-for-the-log" }
}
"""
BROKEN = """
service "broken" {
  image = "REGISTRY/web:missing"
  port  = 8080
  cpu   = 0.02
}
"""
SLOW = """
service "slow" {
  image   = "REGISTRY/web:1"
  port    = 8080
  cpu     = 0.02
  command = ["/web", "-ready-after", "60s"]
  health { path = "/healthz" }
}
"""
HUGE = """
service "huge" {
  image  = "REGISTRY/web:1"
  memory = "900G"
}
"""
VOLUME = """\
  volume "data" {
    path = "/data"
    size = "10M"
  }
"""
TASK = """
task "migrate" {
  image = "REGISTRY/web:1"
}
"""


@pytest.fixture(scope="module", autouse=True)
def no_other(cluster: Cluster) -> Iterator[None]:
    """Stop the usual operator once for all tests, each of which starts its own."""
    with without_the_operator(cluster):
        yield


@pytest.fixture
def start(cluster: Cluster, tmp_path: Path) -> Iterator[Start]:
    """Start an operator with settings of the test's own, instead of the usual one."""
    with replicas(cluster, tmp_path) as start:
        yield start


def test_metrics_tell_what_became_of_rollouts(namespace: Namespace, start: Start) -> None:
    operator = start()
    operator.wait_until_ready()
    wait_for("its turn", lambda: operator.leads)
    before = operator.samples("rollouts_total")
    verdicts = operator.sample("verdict_latency_seconds_count")
    assert namespace.deploy(WEB + BROKEN).code == 1
    wait_for("the end of its window", lambda: namespace.service("web").get("settledAt"))
    assert namespace.deploy(WEB).code == 0
    namespace.kubectl("annotate", "milldeployment", "mill", "mill.dev/request=again")
    wait_for("the third rollout", lambda: namespace.status()["rollout"]["id"].endswith("again"))

    after = wait_for(
        "three rollouts",
        lambda: (now := operator.samples("rollouts_total")) and sum(now.values()) >= sum(before.values()) + 3 and now,
    )
    assert {result: after[result] - before[result] for result in after} == {
        ("succeeded",): 2,
        ("failed",): 1,
        ("superseded",): 0,
        ("refused",): 0,
    }
    assert operator.sample("verdict_latency_seconds_count") == verdicts + 2, "web and broken, told once each"
    assert operator.sample("reconciles_total", "error") == 0
    assert operator.sample("reconcile_duration_seconds_count") >= 3
    assert operator.sample("queue_wait_seconds_count") >= 3
    assert operator.sample("status_writes_total") >= 3
    assert operator.samples("build_info")
    assert set(operator.samples("watch_silent_seconds")) == set(operator.samples("watch_restarts_total"))
    text = operator.get("/metrics").text
    for named in (namespace.name, "broken"):
        assert named not in text, "no label is named after a user's object"


def test_the_log_is_json_with_fields_to_select_by_and_nothing_secret(namespace: Namespace, start: Start) -> None:
    operator = start(MILL_LOG_FORMAT="json", MILL_LOG_LEVEL="debug")
    operator.wait_until_ready()
    assert namespace.deploy(WEB + BROKEN).code == 1
    wait_for("the message about its end", lambda: "has finished with errors" in operator.log)
    about = [each for each in operator.records() if each.get("namespace") == namespace.name]
    rollout = namespace.status()["rollout"]["id"]
    assert any(each.get("rollout") == rollout and each.get("service") == "broken" for each in about)
    assert {each["name"] for each in about} == {"mill"}
    assert all({"time", "level", "logger", "message"} <= set(each) for each in operator.records())
    loud = [each for each in about if each["level"] in ("warning", "error")]
    assert {each.get("service") for each in loud} == {"broken", None}, "of broken, and of the rollout's end"
    assert {each["logger"] for each in loud} == {"mill_operator.publisher"}
    assert "not-for-the-log" not in operator.log, "no spec is dumped, at no level"
    operator.send(signal.SIGTERM)
    assert operator.wait() == 0
    assert operator.records()[-1]["message"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_in_the_middle_of_a_rollout_it_ends_well_and_soon(
    namespace: Namespace, start: Start, number: signal.Signals
) -> None:
    operator = start(**elected())
    operator.wait_until_ready()
    wait_for("its turn", lambda: operator.leads)
    namespace.kubectl("apply", "-f", "-", stdin=_resource(namespace, WEB + SLOW))
    wait_for("web", lambda: namespace.service("web").get("state") == "Healthy")
    began = time.monotonic()
    operator.send(number)
    assert operator.wait() == 0
    print(f"ended after {time.monotonic() - began:.2f} s")
    assert "Traceback" not in operator.log
    # The next one goes on where it was.
    after = start()
    after.wait_until_ready()
    assert namespace.service("web")["state"] == "Healthy"
    assert namespace.deploy(WEB).code == 0


def test_what_is_wrong_with_the_settings_is_told_at_once(start: Start) -> None:
    operator = start(MILL_WORKERS="many", MILL_LOG_LEVEL="loud")
    assert operator.wait() == 2
    assert operator.log.splitlines() == [
        "error: MILL_WORKERS=many: must be a number from 1 to 100",
        "error: MILL_LOG_LEVEL=loud: must be one of DEBUG, INFO, WARNING, ERROR",
    ]


def test_a_port_that_is_taken_is_told(start: Start) -> None:
    first = start()
    first.wait_until_ready()
    second = start(MILL_HEALTH_PORT=str(first.port))
    assert second.wait() == 2
    assert (
        f"MILL_HEALTH_HOST=127.0.0.1, MILL_HEALTH_PORT={first.port}: cannot listen: Address already in use"
        in second.log
    )


@pytest.fixture
def link(cluster: Cluster, tmp_path: Path) -> Iterator[SilentLink]:
    made = SilentLink(kubeconfig_of(cluster, ACCOUNT.name), tmp_path / "link.kubeconfig")
    with contextlib.closing(made):
        yield made


@pytest.mark.parametrize("role", ["leader", "standby"])
def test_a_dead_watch_fails_the_liveness_probe_and_a_quiet_one_does_not(
    start: Start, link: SilentLink, role: str
) -> None:
    deadline = 6
    settings = elected(120)
    if role == "standby":
        leader = start(**settings)
        wait_for("the leader", lambda: leader.leads)
    operator = start(**settings, KUBECONFIG=str(link.kubeconfig), MILL_WATCH_DEADLINE=str(deadline))
    operator.wait_until_ready()
    assert operator.answers("/healthz")
    # Nothing happens, and no bookmark comes so soon: longer than the deadline, and it is alive all the time.
    until = time.monotonic() + 2 * deadline
    while time.monotonic() < until:
        answer = operator.get("/healthz")
        assert answer.status_code == 200, answer.text
        time.sleep(0.2)
    with link.silent():
        wait_for("the probe to fail", lambda: operator.get("/healthz").status_code == 503)
        assert "has heard nothing for" in operator.get("/healthz").json()["status"]
        assert min(operator.samples("watch_silent_seconds").values()) <= deadline * 2
    assert operator.leads is (role == "leader")


def test_it_has_exactly_the_rights_that_it_uses(cluster: Cluster, namespace: Namespace, start: Start) -> None:
    """Everything that there is to do is done once, and what was asked for is compared with what is granted."""
    kubeconfig = local.environment_of("operator", cluster)["KUBECONFIG"]
    who = namespace.run(str(cluster.kubectl), "--kubeconfig", kubeconfig, "auth", "whoami", "-o", "json").stdout
    assert (
        json.loads(who)["status"]["userInfo"]["username"] == f"system:serviceaccount:{SYSTEM_NAMESPACE}:{ACCOUNT.name}"
    )

    operator = start(**elected())
    wait_for("its turn", lambda: operator.leads)
    _do_everything(namespace)
    wait_for("a renewal", lambda: ("200", LEASES.full_name, "update") in operator.samples("api_requests_total"))

    used: set[tuple[str, str]] = set()
    for code, resource, verb in operator.samples("api_requests_total"):
        assert code != "403", f"{verb} {resource}"
        if resource == VERSION.full_name:
            continue  # which Kubernetes itself lets everybody read who has an account
        used.add((verb, resource))
        if (verb, code) == ("patch", "201"):
            used.add(("create", resource))  # server-side apply of what was not there
    granted = {(call.verb, call.target) for right in ACCOUNT.rights for call in right.calls()}
    # ConfigMaps of files go after an hour: tests/unit/mill_operator/test_old_files.py sees that. A Job is read where
    # one of its name exists already: tests/unit/mill_operator/test_rollout_tasks_in_time.py.
    # Revisions go after ten newer ones: tests/unit/mill_operator/test_revisions_in_time.py.
    unseen = {
        ("delete", CONFIG_MAPS.full_name),
        ("get", JOBS.full_name),
        ("delete", CONTROLLER_REVISIONS.full_name),
    }
    assert granted - used == unseen, "granted, and never used"
    assert used - granted == set(), "used, and not in the table"


def _do_everything(namespace: Namespace) -> None:
    host = f"{namespace.name}.example.com"  # a host has one owner in the cluster
    web = WEB.replace("  env", f'  route "{host}" {{\n    path = "/"\n  }}\n  env')
    web = web.replace("  env", '  file "/etc/shop/app.conf" { content = "a" }\n  env')
    db = WEB.replace('"web"', '"db"').replace("  env", VOLUME + "  env")
    everything = web + db + BROKEN + TASK

    def failed_of(text: str, *options: str) -> list[str]:
        """Deploy, and return which services failed."""
        assert namespace.deploy(text, "--quiet", *options).stderr == ""
        return [each["name"] for each in namespace.status()["services"] if each["state"] == "Failed"]

    assert failed_of(everything) == ["broken"]
    assert failed_of(everything) == ["broken"], "asked again, with new pods"
    wait_for("a version of db to go back to", lambda: namespace.service("db").get("healthyTemplate"))
    assert failed_of(everything.replace("web:1", "web:missing")) == ["web", "db", "broken"]
    wait_for("the version of db that worked", lambda: namespace.ready_pods("db"))
    # A pod that runs and is not ready: its events may say why, and its node whether it answers.
    assert failed_of(everything + SLOW.replace("60s", "12s")) == ["broken"]
    _fail_twice_for_the_same_reason(namespace)
    # A run that outlives its task.
    namespace.kubectl("create", "job", "--from=cronjob/migrate", "run")
    wait_for("the run", lambda: namespace.status().get("activeRuns"))
    # Another hand.
    namespace.kubectl("delete", "deployment", "web")
    wait_for("web again", lambda: namespace.get("deployment", "web"))
    # A pod that finds no node: how much has the largest?
    namespace.kubectl("apply", "-f", "-", stdin=_resource(namespace, everything + HUGE))
    wait_for("the largest node", lambda: namespace.service("huge").get("detail"))
    # Everything but the data leaves.
    assert failed_of(WEB.replace('"web"', '"rest"'), "--replace-all") == []
    assert namespace.items("ingresses,cronjobs") == []
    assert namespace.items("persistentvolumeclaims")
    assert namespace.get("job", "run")
    # The Job of a run in a rollout, which is deleted since its program cannot start.
    release = TASK.replace("web:1", "web:missing").replace("\n}", '\n  before = ["rest"]\n}')
    assert failed_of(WEB.replace('"web"', '"rest"') + release) == ["rest"]
    wait_for("no Job but the run", lambda: [each["metadata"]["name"] for each in namespace.items("jobs")] == ["run"])


def _fail_twice_for_the_same_reason(namespace: Namespace) -> None:
    """After its rollout is over: the second time, the Event of the first is counted up."""
    item = {"type": "Container", "max": {"memory": "10M"}}
    limit = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "tiny"}, "spec": {"limits": [item]}}
    events = ("events", "--field-selector", "reason=PodsRefused")
    for times in (1, 2):
        namespace.kubectl("apply", "-f", "-", stdin=json.dumps(limit))
        namespace.kubectl("delete", "pods", "-l", "mill.dev/service=web", "--wait=false")
        wait_for("the verdict", lambda: namespace.service("web").get("state") == "Failed")
        namespace.kubectl("delete", "limitrange", "tiny")
        wait_for("web again", lambda: namespace.service("web").get("state") == "Healthy")
        wait_for("its event", lambda times=times: [each["count"] for each in namespace.items(*events)] == [times])


def test_in_one_namespace_the_rights_of_that_namespace_are_enough(
    cluster: Cluster, namespace: Namespace, start: Start, tmp_path: Path
) -> None:
    install_rights(cluster, yaml.safe_dump_all(ACCOUNT.manifests(namespace.name, system=namespace.name)))
    try:
        kubeconfig = kubeconfig_of(cluster, ACCOUNT.name, tmp_path / "one.kubeconfig", namespace.name)
        operator = start(KUBECONFIG=str(kubeconfig), MILL_WATCH_NAMESPACE=namespace.name)
        operator.wait_until_ready()
        assert namespace.deploy(WEB).code == 0
        assert [key for key in operator.samples("api_requests_total") if key[0] == "403"] == []
        operator.send(signal.SIGTERM)
        assert operator.wait() == 0
    finally:
        install_rights(cluster)  # the right to look at nodes is the whole cluster's, and was given to this account


def _resource(namespace: Namespace, text: str) -> str:
    """The MillDeployment of a `.mill` text."""
    file = namespace.folder / "rendered.mill"
    file.write_text(text.replace("REGISTRY", namespace.registry))
    return namespace.run(str(MILL), "render", str(file)).stdout
