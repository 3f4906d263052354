"""Lists: the original's tables to the byte, those of runs with more columns, and one array on a line as JSON."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cli.conftest import TOKEN, Mill
from tests.cli.fake_gateway import FakeGateway, as_json, refusal
from tests.cli.listed import NODE_TABLE, NODES, PS_TABLE, RUNS

VOLUMES = [
    {"name": "pgdata", "state": "attached", "node": "node-1", "cloud_id": "vol-123"},
    {"name": "uploads", "state": "ready", "node": None, "cloud_id": "vol-7"},
]
VOLUME_TABLE = """\
 NAME     STATE     NODE    CLOUD ID·
 pgdata   attached  node-1  vol-123··
 uploads  ready     --      vol-7····
""".replace("·", " ")


@dataclass(frozen=True)
class Listed:
    """A command that lists things."""

    command: str
    route: str
    things: list[dict[str, Any]]
    table: str
    empty: str
    query: tuple[str, ...] = ("namespace", "name")
    """Which of them the route takes."""
    of_table: str = ""
    """Another route whose answer the table has, too, where there is one."""


LISTS = (
    Listed("nodes", "/v1/nodes", NODES, NODE_TABLE, " NAME  STATUS  CPU  MEM  ALLOCS \n", ()),
    Listed("ps", "/v1/tasks", RUNS, PS_TABLE, "no running tasks\n", of_table="/v1/status"),
    Listed("volume list", "/v1/volumes", VOLUMES, VOLUME_TABLE, " NAME  STATE  NODE  CLOUD ID \n"),
    Listed(
        "secret list",
        "/v1/secrets",
        [{"name": "db.url"}, {"name": "k"}],
        " NAME   \n db.url \n k      \n",
        " NAME \n",
        ("namespace",),
    ),
)


@pytest.mark.parametrize("listed", LISTS, ids=lambda each: each.command)
def test_what_is_listed_as_a_table_and_as_json(mill: Mill, gateway: FakeGateway, listed: Listed) -> None:
    gateway.answers("GET", listed.route, as_json(listed.things))
    words, where = listed.command.split(), {"namespace": "shop", "name": "blue"}
    done = mill(*words, "--namespace", "shop", "--name", "blue")
    assert (done.stdout, done.stderr, done.code) == (listed.table, "", 0)
    as_lines = mill(*words, "--json")
    assert (json.loads(as_lines.stdout), as_lines.stderr, as_lines.code) == (listed.things, "", 0)
    assert as_lines.stdout == json.dumps(listed.things, ensure_ascii=False, separators=(",", ":")) + "\n"
    asked = [("GET", route, {key: where[key] for key in listed.query}) for route in (listed.route, listed.of_table)]
    assert gateway.requests == [*(each for each in asked if each[1]), ("GET", listed.route, {})]


@pytest.mark.parametrize("listed", LISTS, ids=lambda each: each.command)
def test_an_empty_list_is_a_header_or_an_empty_array(mill: Mill, gateway: FakeGateway, listed: Listed) -> None:
    gateway.answers("GET", listed.route, as_json([]))
    words = listed.command.split()
    assert mill(*words).stdout == listed.empty
    assert mill(*words, "--json").stdout == "[]\n"


@pytest.mark.parametrize("listed", LISTS, ids=lambda each: each.command)
def test_json_that_is_something_else_is_not_taken_for_a_list(mill: Mill, gateway: FakeGateway, listed: Listed) -> None:
    gateway.answers("GET", listed.route, as_json({"status": "ok"}))
    done = mill(*listed.command.split())
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr.startswith("error: unexpected answer of the gateway: ")
    assert "check that the address is that of a mill gateway" in done.stderr


def test_control_characters_in_a_cell_do_not_reach_the_terminal(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/secrets", as_json([{"name": "a\x1b[31mb\nc\x07"}]))
    assert mill("secret", "list").stdout == " NAME       \n a�[31mb c� \n"


def test_headers_of_a_request(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/nodes", as_json([]))
    assert [mill("nodes").code, mill("nodes", MILL_TOKEN="").code] == [0, 0]
    assert [each.headers.get("authorization") for each in gateway.asked] == [f"Bearer {TOKEN}", None]
    assert all("mill-token" not in each.headers for each in gateway.asked)


FAILED_STEP = {
    "seq": 2,
    "at": "2026-11-25T06:41:22Z",
    "phase": "failed",
    "code": "TagNotFound",
    "message": "image pull failed: tag not found",
}
REGRESSION = {
    "service": "web",
    "reason": "out of memory",
    "code": "Crashed",
    "at": "2026-11-25T06:39:28.3Z",
}


def test_history_lists_rollouts_with_results_newest_first(mill: Mill, gateway: FakeGateway) -> None:
    services = [
        {"name": "web", "state": "Healthy"},
        {"name": "broken", "state": "Healthy", "transitions": [FAILED_STEP]},  # it has recovered
    ]
    status = {
        "rollout": {
            "id": "8ffa93a4.4",
            "startedAt": "2026-11-25T06:41:10Z",
            "finishedAt": "2026-11-25T06:41:22.4Z",
            "success": False,
        },
        "services": services,
        "history": [
            {
                "id": "8ffa93a4.3",
                "startedAt": "2026-11-25T06:40:10Z",
                "finishedAt": "2026-11-25T06:40:11Z",
                "superseded": True,
                "success": False,
            },
            {
                "id": "8ffa93a4.2",
                "startedAt": "2026-11-25T06:39:10Z",
                "finishedAt": "2026-11-25T06:39:14.2Z",
                "success": True,
                "regressed": [REGRESSION],
            },
        ],
    }
    now = "Fri, 27 Nov 2026 12:00:00 GMT"
    gateway.answers("GET", "/v1/deployments/blue", as_json({"status": status}, Date=now))
    done = mill("history", "--rollouts", "--name", "blue", "-n", "shop")
    assert (done.stderr, done.code) == ("", 0)
    assert done.stdout == (
        " ROLLOUT     AGE  TOOK   RESULT                                               \n"
        " 8ffa93a4.4  2d   12.4s  failed: broken: image pull failed: tag not found     \n"
        " 8ffa93a4.3  2d   1.0s   superseded by a newer rollout                        \n"
        " 8ffa93a4.2  2d   4.2s   succeeded, then web failed after 14 s: out of memory \n"
    )
    told = json.loads(mill("history", "--rollouts", "--name", "blue", "--json").stdout)
    assert [(each["id"], each["success"], each["seconds"]) for each in told] == [
        ("8ffa93a4.4", False, 12.4),
        ("8ffa93a4.3", False, 1.0),
        ("8ffa93a4.2", True, 4.2),
    ]
    assert told[0]["failed"] == [{"seq": 2, "service": "broken", "reason": "image pull failed: tag not found"}]
    assert [each["regressed"] for each in told] == [[], [], [REGRESSION]]
    assert gateway.requests[0] == ("GET", "/v1/deployments/blue", {"namespace": "shop"})


def test_history_of_rollouts_in_progress_refused_and_none(mill: Mill, gateway: FakeGateway) -> None:
    going = {"id": "8ffa93a4.1", "startedAt": "2026-11-25T06:41:10Z"}
    refused = going | {"finishedAt": going["startedAt"], "success": False, "refused": "web: no port\napi: no image"}
    now = "Wed, 25 Nov 2026 06:42:00 GMT"
    answers = (as_json({"status": {"rollout": each}}, Date=now) for each in (going, refused))
    gateway.answers("GET", "/v1/deployments/mill", *answers, as_json({}))
    assert mill("history", "--rollouts").stdout == (
        " ROLLOUT     AGE  TOOK  RESULT      \n 8ffa93a4.1  50s        in progress \n"
    )
    assert mill("history", "--rollouts").stdout == (
        " ROLLOUT     AGE  TOOK  RESULT                             \n"
        " 8ffa93a4.1  50s  0.0s  failed: web: no port api: no image \n"
    )
    assert mill("history", "--rollouts").stdout == " ROLLOUT  AGE  TOOK  RESULT \n"
    gateway.answers("GET", "/v1/deployments/mill", refusal(404, "deployment not found: shop/mill"))
    done = mill("history", "--rollouts")
    assert (done.stdout, done.stderr, done.code) == ("", "error: deployment not found: shop/mill\n", 1)
