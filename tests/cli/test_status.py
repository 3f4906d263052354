"""`mill status`: the original's sections, those that have something, and below them what is wrong."""

import json
from typing import Any

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import FakeGateway, as_json, refusal
from tests.cli.listed import NODE_TABLE, NODES, RUN_TABLE, RUNS

COUNTS = {"node_count": 2, "service_count": 2, "task_count": 2, "cpu_total": 6.0, "cpu_available": 5.75}
WEB = {"name": "web", "image": "registry/web:v2", "replicas": {"desired": 2, "healthy": 2}, "allocations": []}
HEALTHY = WEB | {"state": "Healthy", "reason": None, "message": None}
BROKEN = {
    "name": "broken",
    "image": "registry/web:missing",
    "replicas": {"desired": 1, "healthy": 0},
    "state": "Failed",
    "reason": "TagNotFound",
    "message": "image pull failed: tag not found",
}
SLOW = BROKEN | {"name": "slow", "state": "Suspect", "reason": "NotReady", "message": None}
SERVICE_TABLE = """\
 NAME    REPLICAS  IMAGE················
 web     2/2       registry/web:v2······
 broken  0/1       registry/web:missing·
 slow    0/1       registry/web:missing·
""".replace("·", " ")
PROBLEM_TABLE = """\
 SERVICE  REASON···························
 broken   image pull failed: tag not found·
 slow     NotReady·························
""".replace("·", " ")
SECTIONS = ("/v1/status", "/v1/services", "/v1/tasks", "/v1/nodes")


def answer(gateway: FakeGateway, services: list[Any], tasks: list[Any], nodes: list[Any]) -> dict[str, Any]:
    """Have the gateway answer with these, and return all of it."""
    found = dict(zip(SECTIONS, (COUNTS, services, tasks, nodes), strict=True))
    for path, value in found.items():
        gateway.answers("GET", path, as_json(value))
    return {path.rpartition("/")[2].replace("status", "cluster"): value for path, value in found.items()}


def test_status_shows_all_sections(mill: Mill, gateway: FakeGateway) -> None:
    found = answer(gateway, [HEALTHY, BROKEN, SLOW], RUNS, NODES)
    done = mill("status", "-n", "shop", "--name", "blue")
    assert (done.stderr, done.code) == ("", 0)
    assert done.stdout == (
        f"CLUSTER: 2 nodes, degraded\n\nSERVICES\n{SERVICE_TABLE}\nTASKS\n{RUN_TABLE}\nNODES\n{NODE_TABLE}"
        f"\nPROBLEMS\n{PROBLEM_TABLE}"
    )
    here = {"namespace": "shop", "name": "blue"}
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
    mixed = SLOW | {
        "name": "api",
        "replicas": {"desired": 2, "healthy": 1, "serving": 2},
        "serving_images": ["api:1", "api:2"],
        "update": "update to api:2 in progress (1/2)",
    }
    answer(gateway, [failed, mixed, HEALTHY | {"name": "db"}], [], [])
    assert (
        mill("status").stdout.partition("SERVICES\n")[2]
        == """\
 NAME  REPLICAS  IMAGE            UPDATE······································
 web   2/2       registry/web:2   update to registry/web:missing failed (0/2)·
 api   2/2       api:1, api:2     update to api:2 in progress (1/2)···········
 db    2/2       registry/web:v2  ············································

PROBLEMS
 SERVICE  REASON···························
 web      image pull failed: tag not found·
 api      NotReady·························
""".replace("·", " ")
    )


def test_without_an_update_the_table_is_short(mill: Mill, gateway: FakeGateway) -> None:
    same = {
        "serving_images": ["registry/web:v2"],
        "update": None,
        "replicas": {"desired": 2, "healthy": 2, "serving": 3},
    }
    answer(gateway, [HEALTHY | same], [], [])
    assert mill("status").stdout.partition("SERVICES\n")[2] == (
        " NAME  REPLICAS  IMAGE           \n web   2/2       registry/web:v2 \n"
    )


def test_status_names_what_has_failed_since_a_rollout_finished(mill: Mill, gateway: FakeGateway) -> None:
    answer(gateway, [HEALTHY], [], [])
    result = "succeeded, then web failed after 14 s: container exited with code 1"
    regressions = [{"deployment": "mill", "rollout": "4", "result": result, "regressed": []}]
    gateway.answers("GET", "/v1/status", as_json(COUNTS | {"regressions": regressions}))
    assert mill("status").stdout.partition("\n\nREGRESSIONS\n")[2] == (
        " DEPLOYMENT  ROLLOUT  RESULT                                                              \n"
        f" mill        4        {result} \n"
    )
    assert json.loads(mill("status", "--json").stdout)["cluster"]["regressions"] == regressions


def test_what_a_service_waits_for_is_shown(mill: Mill, gateway: FakeGateway) -> None:
    waiting = BROKEN | {"state": "Waiting", "reason": "Waiting", "message": "waiting for db"}
    answer(gateway, [waiting], [], [])
    assert " broken   waiting for db \n" in mill("status").stdout


def test_sections_without_anything_are_left_out(mill: Mill, gateway: FakeGateway) -> None:
    answer(gateway, [], [], [])
    assert mill("status").stdout == "CLUSTER: 0 nodes, all healthy\n"
    answer(gateway, [], [], NODES[:1])
    assert mill("status").stdout == (
        "CLUSTER: 1 nodes, all healthy\n\nNODES\n"
        " NAME              STATUS  CPU    MEM                ALLOCS \n"
        " 3f9a0c11d2e4b567  ready   0.2/4  122.1 MiB/7.8 GiB  1      \n"
    )


def test_a_service_of_the_original_has_no_state(mill: Mill, gateway: FakeGateway) -> None:
    answer(gateway, [WEB], [], NODES[:1])
    done = mill("status")
    assert ("PROBLEMS" in done.stdout, done.code) == (False, 0)
    assert " web   2/2       registry/web:v2 \n" in done.stdout


def test_a_caller_that_may_not_list_nodes_sees_the_rest(mill: Mill, gateway: FakeGateway) -> None:
    found = answer(gateway, [HEALTHY], [], [])
    gateway.answers("GET", "/v1/nodes", refusal(403, "shop-reader may not list nodes"))
    done = mill("status")
    assert (done.stderr, done.code) == ("", 0)
    assert done.stdout == (
        "CLUSTER: not permitted to list nodes\n\nSERVICES\n NAME  REPLICAS  IMAGE           \n"
        " web   2/2       registry/web:v2 \n"
    )
    assert json.loads(mill("status", "--json").stdout) == found | {"nodes": None}


def test_whatever_else_goes_wrong_ends_it(mill: Mill, gateway: FakeGateway) -> None:
    answer(gateway, [HEALTHY], [], [])
    gateway.answers("GET", "/v1/nodes", refusal(500, "internal error"))
    done = mill("status")
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr == ("error: internal error\n  help: see request 7707679e566ef2f9 in the gateway's log\n")
