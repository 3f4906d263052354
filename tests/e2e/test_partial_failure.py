"""The scenario that mill is made for: one good service, one whose tag does not exist."""

import json

import httpx
from httpx_sse import connect_sse

from tests.e2e.seed import FIXED, LINES, NODE, SEED, notices, plan
from tests.support import server_sent

from .conftest import GATEWAY, Namespace, wait_for


def test_the_command_line_prints_the_four_lines_and_exits_1(namespace: Namespace) -> None:
    done = namespace.deploy(SEED)
    assert (done.stdout, done.code) == (LINES, 1)
    planned = plan(namespace.name)
    assert done.stderr.startswith(planned)
    assert done.stderr.removeprefix(planned) in notices(namespace.registry)


def test_json_output_has_the_same_events_and_exit_code(namespace: Namespace) -> None:
    done = namespace.deploy(SEED, "--json")
    assert done.code == 1
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["event"] for each in events].count("failed") == 1
    assert events[-1]["event"] == "done"
    assert events[-1]["data"]["success"] is False


def test_http_stays_200_and_the_stream_tells_the_verdict_byte_for_byte(namespace: Namespace) -> None:
    text = SEED.replace("REGISTRY", namespace.registry)
    with (
        httpx.Client(timeout=60) as client,
        connect_sse(client, "POST", f"{GATEWAY}/v1/deploy?namespace={namespace.name}", content=text) as stream,
    ):
        assert stream.response.status_code == 200
        events = [(each.event, each.data, each.id) for each in server_sent.events(stream)]
    told = [(name, data) for name, data, _ in events]
    web = [each for each in told if '"web"' in each[1]]
    assert web == [
        ("progress", f'{{"service": "web", "phase": "scheduled", "node": "{NODE}"}}'),
        ("progress", '{"service": "web", "phase": "healthy"}'),
    ]
    assert [each for each in told if '"broken"' in each[1]] == [
        ("failed", '{"service": "broken", "reason": "image pull failed: tag not found"}')
    ]
    assert len(told) == 4
    name, data = told[-1]
    assert name == "done"
    assert list(json.loads(data)) == ["elapsed", "success"]
    assert json.loads(data)["success"] is False
    assert events[-1][2].endswith(".end")


def test_a_late_reader_gets_the_same_events_and_a_resumed_one_the_rest(namespace: Namespace) -> None:
    namespace.deploy(SEED)
    url = f"{GATEWAY}/v1/deployments/mill/events?namespace={namespace.name}"

    def read(last_event_id: str | None = None) -> list[tuple[str, str, str]]:
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        with httpx.Client(timeout=60) as client, connect_sse(client, "GET", url, headers=headers) as stream:
            return [(each.event, each.data, each.id) for each in server_sent.events(stream)]

    events = read()
    assert len(events) == 4
    assert read(events[1][2]) == events[2:]


def test_kubectl_apply_gets_the_same_verdict(namespace: Namespace) -> None:
    namespace.kubectl("apply", "-f", "-", stdin=_resource(namespace))
    namespace.kubectl("wait", "milldeployment/mill", "--for=condition=Stalled", "--timeout=60s")
    wait_for("the rollout's end", lambda: namespace.status().get("rollout", {}).get("finishedAt"))
    ready = namespace.condition("Ready")
    assert (ready["status"], ready["reason"]) == ("False", "TagNotFound")
    assert ready["message"] == "1 of 2 failed: broken: image pull failed: tag not found"
    assert namespace.service("web")["state"] == "Healthy"
    columns = namespace.kubectl("get", "md").splitlines()[1].split()
    assert columns[:3] == ["mill", "False", "1/2"]


def test_afterwards_web_runs_with_its_new_config_and_broken_has_no_container(namespace: Namespace) -> None:
    namespace.deploy(SEED)
    (web,) = namespace.pods("web")
    assert web["spec"]["containers"][0]["image"] == f"{namespace.registry}/web:1"
    assert web["status"]["containerStatuses"][0]["ready"] is True
    (address,) = namespace.ready_pods("web").values()
    assert httpx.get(f"http://{address}:8080/").text.startswith("web 1 on ")
    for pod in namespace.pods("broken"):
        assert "running" not in pod["status"]["containerStatuses"][0]["state"]
    # Nothing is rolled back for the neighbour's sake: the resource says what was asked for.
    services = namespace.get("milldeployment", "mill")["spec"]["services"]
    assert [each["name"] for each in services] == ["web", "broken"]


def test_a_second_deploy_that_fixes_it_leaves_the_good_service_alone(namespace: Namespace) -> None:
    namespace.deploy(SEED)
    before = namespace.ready_pods("web")
    wait_for(
        "web to settle: until then it takes part in the next rollout", lambda: namespace.service("web").get("settledAt")
    )
    done = namespace.deploy(FIXED)
    lines = done.stdout.splitlines()
    assert done.code == 0
    assert lines[:-1] == [f"  broken: scheduled on {NODE}", "  broken: healthy"]
    assert lines[-1].startswith("  deployed (")
    assert namespace.ready_pods("web") == before
    assert namespace.condition("Ready")["status"] == "True"
    assert not namespace.condition("Stalled")
    assert not namespace.condition("Reconciling")


def _resource(namespace: Namespace) -> str:
    return json.dumps(
        {
            "apiVersion": "mill.dev/v1alpha1",
            "kind": "MillDeployment",
            "metadata": {"name": "mill"},
            "spec": {
                "services": [
                    {
                        "name": "web",
                        "image": f"{namespace.registry}/web:1",
                        "port": 8080,
                        "health": {"path": "/healthz"},
                    },
                    {"name": "broken", "image": f"{namespace.registry}/web:missing", "port": 8080, "cpu": "50m"},
                ]
            },
        }
    )


def _service(name: str, namespace: Namespace, tag: str) -> dict[str, object]:
    return {"name": name, "image": f"{namespace.registry}/web:{tag}", "port": 8080, "cpu": "50m"}
