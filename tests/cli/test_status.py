"""`mill status`: what it shows, how everything is, and below that what is wrong."""

import json
import re
import signal
from typing import Any

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import Answer, FakeGateway, as_json, refusal
from tests.cli.listed import NODE_TABLE, NODES, PS_TABLE, RUNS
from tests.cli.screens import on_terminal

NOW = "Sat, 14 Feb 2026 10:15:00 GMT"
MILL = {
    "name": "mill",
    "namespace": "shop",
    "state": "Healthy",
    "message": "1 of 1 healthy",
    "service_count": 1,
    "healthy_count": 1,
    "rollout": "4-01a21f30bc2b23cb",
    "started_at": "2026-02-14T10:01:00.000Z",
    "finished_at": "2026-02-14T10:01:12.000Z",
}
COUNTS = {
    "node_count": 2,
    "service_count": 2,
    "task_count": 2,
    "cpu_total": 6.0,
    "cpu_available": 5.75,
    "namespace": "shop",
    "deployments": [MILL],
}
ORIGINAL = {"node_count": 1, "service_count": 1, "task_count": 0, "cpu_total": 6.0, "cpu_available": 5.75}
WEB = {"name": "web", "image": "registry/web:v2", "replicas": {"desired": 2, "healthy": 2}, "allocations": []}
HEALTHY = WEB | {
    "namespace": "shop",
    "deployment": "mill",
    "state": "Healthy",
    "reason": None,
    "message": None,
    "port": 8080,
    "routes": [],
    "created_at": "2026-02-14T08:00:00Z",
    "changed_at": "2026-02-14T10:01:00.000Z",
}
BROKEN = HEALTHY | {
    "name": "broken",
    "image": "registry/web:missing",
    "replicas": {"desired": 1, "healthy": 0, "serving": 0},
    "allocations": [{"restarts": 7, "status": "failed"}, {"restarts": 9, "status": "stopped"}],
    "state": "Failed",
    "reason": "TagNotFound",
    "message": "image pull failed: tag not found",
    "suggestion": "Push the tag, or name one that exists.",
    "since": "2026-02-14T10:14:00Z",
}
SLOW = BROKEN | {
    "name": "slow",
    "state": "Suspect",
    "reason": "NotReady",
    "message": None,
    "suggestion": None,
    "since": "2026-02-14T10:14:48.000Z",
    "due_at": "2026-02-14T10:15:18.000Z",
}
SERVICE_TABLE = """\
 NAME    STATE    SERVING  UPDATED  RESTARTS  AGE  CHANGED  IMAGE                 ADDRESS··········
 web     Healthy  2/2      2/2      0         2h   14m      registry/web:v2       web.shop:8080····
 broken  Failed   0/1      0/1      7         2h   14m      registry/web:missing  broken.shop:8080·
 slow    Suspect  0/1      0/1      7         2h   14m      registry/web:missing  slow.shop:8080···
""".replace("·", " ")
PROBLEMS = """\
 broken: failed 1m ago: image pull failed: tag not found
    help: Push the tag, or name one that exists.
 slow: suspect for 12s: NotReady; it may still heal, and fails in 18s otherwise
"""
SECTIONS = ("/v1/status", "/v1/services", "/v1/tasks", "/v1/nodes")


def answer(
    gateway: FakeGateway, services: list[Any], tasks: list[Any], nodes: list[Any], counts: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Have the gateway answer with these, and return all of it."""
    found = dict(zip(SECTIONS, (counts or COUNTS, services, tasks, nodes), strict=True))
    for path, value in found.items():
        gateway.answers("GET", path, as_json(value, Date=NOW))
    return {path.rpartition("/")[2].replace("status", "cluster"): value for path, value in found.items()}


def test_status_shows_all_sections(mill: Mill, gateway: FakeGateway) -> None:
    found = answer(gateway, [HEALTHY, BROKEN, SLOW], RUNS, NODES)
    done = mill("status", "-n", "shop", "--name", "mill")
    assert (done.stderr, done.code) == ("", 0)
    assert done.stdout == (
        "NAMESPACE: shop\nDEPLOYMENT: mill, healthy, 1/1 healthy, rollout 4, 14m ago\nCLUSTER: 2 nodes, degraded\n\n"
        f"SERVICES\n{SERVICE_TABLE}\nTASKS\n{PS_TABLE}\nNODES\n{NODE_TABLE}\nPROBLEMS\n{PROBLEMS}"
    )
    here = {"namespace": "shop", "name": "mill"}
    assert gateway.requests == [("GET", path, {} if path == "/v1/nodes" else here) for path in SECTIONS]
    as_line = mill("status", "--json")
    assert (as_line.stdout.count("\n"), as_line.code) == (1, 0)
    assert json.loads(as_line.stdout) == found


def test_a_failed_update_does_not_look_like_an_outage(mill: Mill, gateway: FakeGateway) -> None:
    failed = BROKEN | {
        "name": "web",
        "replicas": {"desired": 2, "healthy": 0, "serving": 2},
        "serving_images": ["registry/web:2"],
        "update": "update to registry/web:missing failed (0/2)",
    }
    answer(gateway, [failed, HEALTHY | {"name": "db"}], [], [])
    assert (
        mill("status").stdout.partition("SERVICES\n")[2]
        == """\
 NAME  STATE    SERVING  UPDATED  RESTARTS  AGE  CHANGED  IMAGE                      ADDRESS·······
 web   Failed   2/2      0/2      7         2h   14m      registry/web:2 -> missing  web.shop:8080·
 db    Healthy  2/2      2/2      0         2h   14m      registry/web:v2            db.shop:8080··

PROBLEMS
 web: update to registry/web:missing failed (0/2), the version before serves: image pull failed: tag not found
    help: Push the tag, or name one that exists.
""".replace("·", " ")
    )


def test_several_deployments_have_a_table_and_a_column(mill: Mill, gateway: FakeGateway) -> None:
    blog = MILL | {"name": "blog", "state": "InProgress", "healthy_count": 0, "started_at": "2026-02-14T10:14:50.000Z"}
    services = [HEALTHY | {"deployment": "blog", "name": "pages", "state": "Starting"}, HEALTHY]
    answer(gateway, services, [], [], COUNTS | {"deployments": [blog, MILL]})
    assert (
        mill("status").stdout
        == """\
NAMESPACE: shop, 2 deployments
CLUSTER: 0 nodes, all ready

DEPLOYMENTS
 NAME  STATE       HEALTHY  ROLLOUT  CHANGED·
 blog  InProgress  0/1      4        10s·····
 mill  Healthy     1/1      4        14m·····

SERVICES
 DEPLOYMENT  NAME   STATE     SERVING  UPDATED  RESTARTS  AGE  CHANGED  IMAGE            ADDRESS·········
 blog        pages  Starting  2/2      2/2      0         2h   14m      registry/web:v2  pages.shop:8080·
 mill        web    Healthy   2/2      2/2      0         2h   14m      registry/web:v2  web.shop:8080···
""".replace("·", " ")
    )


def test_all_namespaces(mill: Mill, gateway: FakeGateway) -> None:
    counts = {key: value for key, value in COUNTS.items() if key != "namespace"}
    runs = [run | {"namespace": namespace} for run, namespace in zip(RUNS, ("shop", "tour"), strict=False)]
    found = answer(gateway, [HEALTHY, BROKEN | {"namespace": "tour"}], runs, [], counts)
    done = mill("status", "-A", MILL_NAMESPACE="ignored")
    assert done.stdout.splitlines()[:6] == [
        "NAMESPACES: all",
        "CLUSTER: 0 nodes, all ready",
        "",
        "DEPLOYMENTS",
        " NAMESPACE  NAME  STATE    HEALTHY  ROLLOUT  CHANGED ",
        " shop       mill  Healthy  1/1      4        14m     ",
    ]
    assert "\n tour/broken: failed 1m ago: " in done.stdout
    header, first, second = done.stdout.partition("TASKS\n")[2].splitlines()[:3]
    assert [each.split()[0] for each in (header, *sorted((first, second)))] == ["NAMESPACE", "shop", "tour"]
    assert {str(query) for _, path, query in gateway.requests if path != "/v1/nodes"} == {"{'allNamespaces': 'true'}"}
    assert json.loads(mill("status", "-A", "--json").stdout) == found | {"namespaces": "all"}
    both = mill("status", "-A", "-n", "shop")
    assert (both.code, both.stderr.splitlines()[0]) == (
        2,
        "error: --all-namespaces and --namespace exclude each other",
    )


def test_a_refused_spec_is_a_problem_though_its_services_are_healthy(mill: Mill, gateway: FakeGateway) -> None:
    refused = MILL | {"state": "Refused", "message": 'service.web.env.A: unknown interpolation "x"'}
    answer(gateway, [HEALTHY], [], [], COUNTS | {"deployments": [refused]})
    done = mill("status")
    assert "DEPLOYMENT: mill, its spec was refused, 1/1 healthy, rollout 4, 14m ago\n" in done.stdout
    assert done.stdout.endswith(
        '\nPROBLEMS\n mill: spec refused 13m ago, nothing was changed: service.web.env.A: unknown interpolation "x"\n'
    )


def test_failed_runs_are_problems(mill: Mill, gateway: FakeGateway) -> None:
    failed = {
        **RUNS[0],
        "status": "failed",
        "state": "Failed",
        "reason": "ContainerExited",
        "message": "container exited with code 3",
        "created_at": "2026-02-14T09:00:00Z",
        "finished_at": "2026-02-14T09:00:09Z",
    }
    answer(gateway, [HEALTHY], [failed | {"id": f"migrate-{at}"} for at in range(7)], [])
    assert mill("status").stdout.partition("PROBLEMS\n")[2] == (
        "".join(f" run migrate-{at}: failed 1h ago: container exited with code 3\n" for at in range(5))
        + " and 2 more failed runs: `mill ps`\n"
    )


def test_status_shows_when_tasks_run_next(mill: Mill, gateway: FakeGateway) -> None:
    report = {"task": "report", "deployment": "mill", "namespace": "shop", "next_run": "2026-02-15T02:00:00.000Z"}
    slow = {**report, "task": "slow", "next_run": "2026-02-14T10:14:00.000Z", "last_run": "2026-02-14T10:13:00.000Z"}
    answer(gateway, [HEALTHY], [], [], COUNTS | {"schedules": [slow, report]})
    lines = mill("status").stdout.partition("\n\nSCHEDULES\n")[2].splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["TASK", "NEXT", "IN", "LAST"],
        ["slow", "2026-02-14", "10:14Z", "due", "2026-02-14", "10:13Z"],
        ["report", "2026-02-15", "02:00Z", "15h"],
    ]
    late = [slow | {"missed_run": "2026-02-14T10:00:00.000Z"}]
    answer(gateway, [HEALTHY], [], [], COUNTS | {"schedules": late})
    assert "2026-02-14 10:00Z" in mill("status").stdout.partition("MISSED")[2]
    shown = mill("ps").stdout
    assert shown.startswith("no running tasks\n\nSCHEDULES\n")
    assert "2026-02-14 10:14Z" in shown


def test_status_shows_the_tasks_of_rollouts(mill: Mill, gateway: FakeGateway) -> None:
    migrate = {"task": "migrate", "deployment": "mill", "namespace": "shop", "before": ["web"], "after": []}
    done = migrate | {"state": "succeeded", "run": "migrate-1", "duration": 4.1}
    done |= {"started_at": "2026-02-14T10:01:00.000Z", "finished_at": "2026-02-14T10:01:04.100Z"}
    failed = migrate | {"task": "seed", "state": "failed", "run": "seed-1", "code": "ContainerExited"}
    failed |= {"message": "container exited with code 3", "detail": "last log line: no such table"}
    tasks = [
        done,
        failed,
        migrate | {"task": "check", "state": "running", "run": "check-1", "started_at": "2026-02-14T10:14:00.000Z"},
        migrate
        | {"task": "fill", "before": [], "after": list("abcdefg"), "state": "waiting", "message": "waiting for a"},
        migrate | {"task": "again", "state": "succeeded"},
        migrate | {"task": "odd", "before": "web", "state": "skip\x1b[31mped"},
    ]
    answer(gateway, [HEALTHY], [], [], COUNTS | {"rollout_tasks": tasks})
    shown = mill("status").stdout.partition("\n\nTASKS OF ROLLOUTS\n")[2].partition("\n\n")[0]
    assert shown.split("\n")[0].split() == ["TASK", "RUNS", "ID", "CHANGED", "STATE"]
    assert [re.split(r"\s{2,}", line.strip()) for line in shown.splitlines()[1:]] == [
        ["migrate", "before web", "migrate-1", "13m", "done (4.1s)"],
        ["seed", "before web", "seed-1", "failed: container exited with code 3 (last log line: no such table)"],
        ["check", "before web", "check-1", "1m", "running"],
        ["fill", "after a, b, c, d, e and 2 more", "waiting for a"],
        ["again", "before web", "done"],
        ["odd", "skip�[31mped"],
    ]
    assert json.loads(mill("status", "--json").stdout)["cluster"]["rollout_tasks"] == tasks


def test_status_names_what_has_failed_since_a_rollout_finished(mill: Mill, gateway: FakeGateway) -> None:
    result = "succeeded, then web failed after 14 s: container exited with code 1"
    regressions = [{"deployment": "mill", "rollout": "4", "result": result, "regressed": []}]
    answer(gateway, [HEALTHY], [], [], COUNTS | {"regressions": regressions})
    assert mill("status").stdout.partition("\n\nREGRESSIONS\n")[2] == (
        " DEPLOYMENT  ROLLOUT  RESULT                                                              \n"
        f" mill        4        {result} \n"
    )
    assert json.loads(mill("status", "--json").stdout)["cluster"]["regressions"] == regressions


def test_a_route_that_is_not_served_is_a_warning(mill: Mill, gateway: FakeGateway) -> None:
    route = {"url": "http://shop.example.com/", "address": None, "problem": "no ingress controller serves it"}
    answer(gateway, [HEALTHY | {"routes": [route]}], [], [])
    shown = mill("status").stdout
    assert "  web.shop:8080 http://shop.example.com/ \n" in shown
    assert shown.partition("WARNINGS\n")[2] == (
        " DEPLOYMENT  WARNING                                                        \n"
        " mill        web: http://shop.example.com/: no ingress controller serves it \n"
    )


def test_what_a_service_waits_for_is_shown(mill: Mill, gateway: FakeGateway) -> None:
    waiting = BROKEN | {"state": "Waiting", "reason": "Waiting", "message": "waiting for db", "suggestion": None}
    answer(gateway, [waiting], [], [])
    assert mill("status").stdout.endswith("PROBLEMS\n broken: waiting for db\n")


def test_sections_without_anything_are_left_out(mill: Mill, gateway: FakeGateway) -> None:
    answer(gateway, [], [], [], COUNTS | {"deployments": []})
    assert mill("status").stdout == "NAMESPACE: shop, nothing is deployed\nCLUSTER: 0 nodes, all ready\n"


def test_a_service_of_the_original_has_no_state(mill: Mill, gateway: FakeGateway) -> None:
    answer(gateway, [WEB], [], NODES[:1], ORIGINAL)
    done = mill("status", "--exit-code")
    assert done.code == 0
    assert done.stdout.partition("\n\nNODES")[0] == (
        "CLUSTER: 1 node, all ready\n\nSERVICES\n"
        " NAME  SERVING  UPDATED  RESTARTS  IMAGE           \n"
        " web   2/2      2/2      0         registry/web:v2 "
    )


def test_a_caller_that_may_not_list_nodes_sees_the_rest(mill: Mill, gateway: FakeGateway) -> None:
    found = answer(gateway, [HEALTHY], [], [])
    gateway.answers("GET", "/v1/nodes", refusal(403, "shop-reader may not list nodes"))
    done = mill("status")
    assert (done.stderr, done.code) == ("", 0)
    assert "\nCLUSTER: not permitted to list nodes\n\nSERVICES\n" in done.stdout
    assert json.loads(mill("status", "--json").stdout) == found | {"nodes": None}


def test_whatever_else_goes_wrong_ends_it(mill: Mill, gateway: FakeGateway) -> None:
    answer(gateway, [HEALTHY], [], [])
    gateway.answers("GET", "/v1/nodes", refusal(500, "internal error"))
    done = mill("status")
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr == ("error: internal error\n  help: see request 7707679e566ef2f9 in the gateway's log\n")


@pytest.mark.parametrize(
    ("services", "deployment", "code"),
    [
        ([HEALTHY], "Healthy", 0),
        ([], "Healthy", 0),
        ([HEALTHY | {"state": "Stopped"}], "Healthy", 0),
        ([HEALTHY, BROKEN, SLOW], "Failed", 1),
        ([HEALTHY], "Refused", 1),
        ([HEALTHY, SLOW], "Healthy", 3),
        ([HEALTHY | {"state": "Starting"}], "InProgress", 3),
        ([HEALTHY], "InProgress", 3),
        ([HEALTHY | {"state": "Dreaming"}], "Healthy", 3),
    ],
)
def test_the_exit_code_is_for_monitors(
    mill: Mill, gateway: FakeGateway, services: list[Any], deployment: str, code: int
) -> None:
    answer(gateway, services, [], [], COUNTS | {"deployments": [MILL | {"state": deployment}]})
    assert mill("status", "--exit-code", "--json").code == code
    assert mill("status").code == 0


def test_a_watch_prints_each_change_once(mill: Mill, gateway: FakeGateway) -> None:
    answer(gateway, [], [], [])
    gateway.answers(
        "GET", "/v1/services", *(as_json([each], Date=NOW) for each in (HEALTHY, HEALTHY, BROKEN)), refusal(503, "away")
    )
    with mill.started("status", "--watch", "--json") as running:
        first, second = (json.loads(running.line()) for _ in range(2))
        done = running.ended(signal.SIGINT)
    assert [each["services"][0]["state"] for each in (first, second)] == ["Healthy", "Failed"]
    assert (done.stdout, done.code) == ("", 130)


def test_a_watch_goes_on_while_the_gateway_is_away(mill: Mill, gateway: FakeGateway) -> None:
    answer(gateway, [], [], [])
    away = refusal(503, "the gateway is starting")
    found = as_json([HEALTHY], Date=NOW), Answer(reset=True), away, away, as_json([BROKEN], Date=NOW)
    gateway.answers("GET", "/v1/services", *found)
    with mill.started("status", "--watch", "--json") as running:
        states = [json.loads(running.line())["services"][0]["state"] for _ in range(2)]
        done = running.ended(signal.SIGINT)
    assert (states, done.stdout, done.code) == (["Healthy", "Failed"], "", 130)
    lost, starting = done.stderr.strip().splitlines()
    assert lost.startswith("request failed: ")
    assert lost.endswith(f" (address: {gateway.url}); trying again")
    assert starting == "the gateway is starting; trying again"


def test_a_watch_on_a_terminal_keeps_the_last_status_while_the_gateway_is_away(
    mill: Mill, gateway: FakeGateway
) -> None:
    answer(gateway, [], [], [])
    away = refusal(503, "the gateway is starting")
    gateway.answers("GET", "/v1/services", as_json([HEALTHY], Date=NOW), away, as_json([BROKEN], Date=NOW))
    with on_terminal(mill, "status", "--watch", columns=100) as terminal:
        shown = terminal.wait_for("NO ANSWER: ")
        assert shown.startswith("NO ANSWER: the gateway is starting; this is the last status\nNAMESPACE: shop\n")
        assert "Healthy" in shown
        back = terminal.wait_for("PROBLEMS\n broken: ")
        assert "NO ANSWER" not in back
        terminal.signal(signal.SIGINT)
        assert terminal.end() == 130


def test_a_watch_draws_in_place_with_problems_in_sight(mill: Mill, gateway: FakeGateway) -> None:
    many = [HEALTHY | {"name": f"web-{at}"} for at in range(60)]
    answer(gateway, [*many, BROKEN], [], [])
    with on_terminal(mill, "status", "--watch", columns=70) as terminal:
        shown = terminal.wait_for("more lines: `mill status`")
        assert shown.startswith("NAMESPACE: shop\nDEPLOYMENT: mill, ")
        assert shown.index("PROBLEMS\n broken: failed 1m ago: ") < shown.index("SERVICES\n")
        terminal.signal(signal.SIGINT)
        assert terminal.end() == 130
