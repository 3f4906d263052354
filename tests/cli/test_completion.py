"""`mill completion`: sourced in a real bash, it completes commands, options, and names of the gateway's."""

import subprocess

import pytest

from tests.cli.conftest import TOKEN, Mill
from tests.cli.fake_gateway import Answer, FakeGateway, as_json, refusal

COMPLETE = """\
[ -f ./script ] || mill completion bash > ./script
source ./script
COMP_WORDS=({words}) COMP_CWORD={at}
_mill_completion mill 2>errors
printf '%s\\n' "${{COMPREPLY[@]}}"
cat errors >&2
"""
SPEC = {"services": [{"name": "web"}, {"name": "worker"}, {"name": "api"}], "tasks": [{"name": "weekly"}]}


def complete(mill: Mill, *words: str) -> list[str]:
    """Return how bash would go on with the last of these words."""
    quoted = " ".join(f"'{each}'" for each in ("mill", *words))
    done = mill.shell(COMPLETE.format(words=quoted, at=len(words)))
    # compopt complains outside of a completion: bash says so on stderr, and nothing of mill's may be there.
    assert [line for line in done.stderr.splitlines() if "compopt" not in line] == []
    return done.stdout.split()


def test_commands_and_options(mill: Mill, gateway: FakeGateway) -> None:
    assert complete(mill, "d") == ["deploy", "delete", "diff", "drain"]
    assert complete(mill, "secret", "") == ["set", "get", "list", "delete"]
    assert complete(mill, "deploy", "--f") == ["--file", "--force"]
    assert complete(mill, "render", "--output", "") == ["yaml", "json", "mill"]
    assert complete(mill, "explain", "TagN") == ["TagNotFound"]
    assert gateway.asked == []


def test_names_are_asked_for(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/deployments/blue", as_json({"spec": SPEC}))
    gateway.answers("GET", "/v1/deployments/mill", as_json({"spec": SPEC}))
    gateway.answers("GET", "/v1/tasks", as_json([{"id": "weekly-1"}]))
    gateway.answers("GET", "/v1/secrets", as_json([{"name": "db.url"}, {"name": "key"}]))
    gateway.answers("GET", "/v1/volumes", as_json([{"name": "pgdata"}]))
    gateway.answers("GET", "/v1/nodes", as_json([{"id": "node-1"}, {"id": "node-2"}]))
    assert complete(mill, "-n", "shop", "restart", "--name", "blue", "w") == ["web", "worker"]
    assert gateway.requests == [("GET", "/v1/deployments/blue", {"namespace": "shop"})]
    assert gateway.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert complete(mill, "watch", "--service", "a") == ["api"]
    assert complete(mill, "logs", "we") == ["web", "weekly"]
    assert complete(mill, "logs", "-n", "shop", "a") == ["api"]
    assert gateway.requests[-1] == ("GET", "/v1/deployments/mill", {"namespace": "shop"})
    assert complete(mill, "spawn", "") == ["weekly"]
    assert complete(mill, "kill", "") == ["weekly-1"]
    assert complete(mill, "secret", "-n", "shop", "get", "d") == ["db.url"]
    assert gateway.requests[-1] == ("GET", "/v1/secrets", {"namespace": "shop"})
    assert complete(mill, "volume", "delete", "") == ["pgdata"]
    assert complete(mill, "drain", "node-2") == ["node-2"]
    gateway.answers("GET", "/v1/deployments/mill/revisions", as_json([{"revision": 12}, {"revision": 11}]))
    assert complete(mill, "rollback", "1") == ["12", "11"]
    assert complete(mill, "history", "12") == ["12"]
    assert complete(mill, "diff", "--rev", "11") == ["11"]


@pytest.mark.parametrize("answer", [refusal(401, "no token"), as_json({"status": "ok"}), as_json(["x"])])
def test_a_gateway_that_does_not_answer_well_completes_nothing(
    mill: Mill, gateway: FakeGateway, answer: Answer
) -> None:
    gateway.answers("GET", "/v1/nodes", answer)
    assert complete(mill, "drain", "") == []


def test_scripts_for_all_shells(mill: Mill) -> None:
    scripts = {shell: mill("completion", shell).stdout for shell in ("bash", "zsh", "fish")}
    assert [list(scripts.values())[at].count(f"_MILL_COMPLETE={shell}_complete") for at, shell in enumerate(scripts)]
    assert scripts["zsh"].startswith("#compdef mill\n")
    checked = subprocess.run(["bash", "-n"], input=scripts["bash"].encode(), capture_output=True, check=True)
    assert checked.stderr == b""
    done = mill("completion", "tcsh")
    assert (done.stdout, done.code) == ("", 2)
    assert done.stderr.startswith(
        "error: invalid value for <SHELL>: 'tcsh' is not one of 'bash', 'zsh', 'fish'\n\nUsage: mill completion"
    )
