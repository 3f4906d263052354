"""The summary of a namespace: counts, schedules, tasks of rollouts, regressions."""

from mill_gateway.settings import Settings
from tests.support.apiserver import Token
from tests.support.gateway.objects import job, mill_deployment, pod
from tests.support.gateway.served import Serve
from tests.support.gateway.two_nodes import FOREIGN, NODES

WEB = {"name": "web", "image": "registry/web:v2", "port": 8080, "replicas": 2}
BROKEN = {"name": "broken", "image": "registry/web:missing", "port": 8080}


async def test_counts(serve: Serve) -> None:
    objects = (mill_deployment(WEB, BROKEN), mill_deployment(WEB, namespace="other"), job("migrate-1", "migrate"))
    async with serve(*objects, *NODES, pod("web", node="a"), FOREIGN) as served:
        answer = await served.http.get("/v1/status")
    assert answer.text == (
        '{"node_count":2,"service_count":2,"task_count":1,"cpu_total":4.5,"cpu_available":3.0,'
        f'"memory_total_bytes":{9 * 2**30},"memory_available_bytes":{8 * 2**30 - 512000000},"serving_count":0,'
        '"namespace":"default","deployments":[{"name":"mill","namespace":"default","state":"InProgress",'
        '"message":"not observed by the operator yet","paused":false,'
        '"service_count":2,"healthy_count":0,"rollout":"1"}]}'
    )


async def test_a_summary_has_the_next_runs_on_schedule(serve: Serve) -> None:
    late = {"name": "late", "nextRun": "2026-02-15T02:00:00.000Z", "lastRun": "2026-02-14T02:00:00.000Z"}
    soon = {"name": "soon", "nextRun": "2026-02-14T11:00:00.000Z", "missedRun": "2026-02-14T10:00:00.000Z"}
    tasks = [late, soon, {"name": "never"}]
    async with serve(mill_deployment(status={"tasks": tasks})) as served:
        where = {"deployment": "mill", "namespace": "default"}
        assert (await served.http.get("/v1/status")).json()["schedules"] == [
            {"task": "soon", **where, "next_run": soon["nextRun"], "missed_run": soon["missedRun"]},
            {"task": "late", **where, "next_run": late["nextRun"], "last_run": late["lastRun"]},
        ]


async def test_a_summary_and_a_deployment_have_the_tasks_of_rollouts(serve: Serve) -> None:
    began, ended = "2026-02-14T10:00:00.000Z", "2026-02-14T10:00:04.100Z"
    ran = {"version": "abc", "rollout": "1"}
    states = [
        {**ran, "name": "migrate", "state": "Succeeded", "run": "migrate-1", "startedAt": began, "finishedAt": ended},
        {**ran, "name": "warm-up", "state": "Waiting", "message": "waiting for web"},
        {**ran, "name": "gone", "state": "Succeeded", "run": "gone-1", "succeeded": ["abc"]},
        {**ran, "name": "leaves", "state": "Running", "run": "leaves-1", "startedAt": began},
        {**ran, "name": "back", "state": "Succeeded", "succeeded": ["abc"]},
    ]
    resource = mill_deployment(WEB, status={"rolloutTasks": states})
    resource["spec"]["tasks"] = [
        {"name": "migrate", "image": "web:1", "before": ["web"]},
        {"name": "warm-up", "image": "web:1", "after": ["web"]},
        {"name": "back", "image": "web:1", "before": ["web", 7]},
    ]
    where = {"deployment": "mill", "namespace": "default"}
    done = {"state": "succeeded", "run": "migrate-1", "duration": 4.1, "started_at": began, "finished_at": ended}
    shown = [
        {"task": "migrate", **where, "before": ["web"], "after": [], **done},
        {"task": "warm-up", **where, "before": [], "after": ["web"], "state": "waiting", "message": "waiting for web"},
        {"task": "leaves", **where, "before": [], "after": [], "state": "running", "run": "leaves-1"}
        | {"started_at": began},
        {"task": "back", **where, "before": ["web"], "after": [], "state": "succeeded"},
    ]
    async with serve(resource) as served:
        assert (await served.http.get("/v1/status")).json()["rollout_tasks"] == shown
        detail = (await served.http.get("/v1/deployments/mill")).json()
        assert (detail["rollout_tasks"], detail["schedules"]) == (shown, [])


async def test_a_summary_names_what_has_regressed(serve: Serve) -> None:
    failed = {"service": "web", "reason": "out of memory", "code": "OutOfMemory", "at": "2026-02-14T10:00:18.2Z"}
    rollout = {"id": "4", "startedAt": "2026-02-14T10:00:00Z", "finishedAt": "2026-02-14T10:00:04Z", "success": True}
    regressed = mill_deployment(WEB, status={"rollout": rollout | {"regressed": [failed]}})
    async with serve(regressed, mill_deployment(BROKEN, name="other", status={"rollout": rollout})) as served:
        assert (await served.http.get("/v1/status")).json()["regressions"] == [
            {
                "deployment": "mill",
                "namespace": "default",
                "rollout": "4",
                "result": "succeeded, then web failed after 14 s: out of memory",
                "regressed": [failed],
            }
        ]


async def test_as_many_runs_are_counted_as_are_listed(serve: Serve) -> None:
    """Runs without a Job count too: it was deleted by a user, or by the cluster after a while."""
    ended = [
        {"name": name, "state": "Stopped", "createdAt": "2026-02-14T10:00:00Z"} for name in ("migrate-1", "migrate-2")
    ]
    status = {"tasks": [{"name": "migrate", "runs": ended}]}
    async with serve(mill_deployment(status=status), job("migrate-2", "migrate"), job("migrate-3", "migrate")) as it:
        assert len((await it.http.get("/v1/tasks")).json()) == 3
        assert (await it.http.get("/v1/status")).json()["task_count"] == 3


async def test_objects_without_the_right_to_list_count_as_zero(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), *NODES, settings=Settings(kubernetes_tokens=True)) as served:
        served.api.accounts.tokens["good-token"] = Token({"username": "bot"})
        served.api.accounts.is_allowed = lambda spec: spec["resourceAttributes"]["resource"] == "milldeployments"
        shown = (await served.http.get("/v1/status", headers={"Authorization": "Bearer good-token"})).json()
        assert (shown["node_count"], shown["service_count"], shown["cpu_total"]) == (0, 1, 0.0)
