"""Every command that asks the gateway, against the real one."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import MILL, Namespace, wait_for
from tests.e2e.gateway.process import GatewayProcess
from tests.e2e.seed import NODE

SHOP = """
service "web" {
  image    = "REGISTRY/web:1"
  port     = 8080
  cpu      = 0.02
  memory   = "64M"
  replicas = 2
  env { GREETING = "hello ${secret(greeting)}" }
  health { path = "/healthz" }
}

service "store" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
  volume "VOLUME" {
    path = "/data"
    size = "10M"
  }
}

task "migrate" {
  image   = "REGISTRY/web:1"
  cpu     = 0.02
  command = ["/web", "-print", "migrating", "-exit-after", "1s", "-exit-code", "0"]
}

task "sleep" {
  image   = "REGISTRY/web:1"
  cpu     = 0.02
  command = ["/web", "-no-listen"]
}
"""
SECRET = "a-secret-value"
FIRST = (f"web:   scheduled on {NODE}", "web:   healthy", f"store: scheduled on {NODE}", "store: healthy")


def shop(namespace: Namespace) -> str:
    return SHOP.replace("VOLUME", f"data-{namespace.name[-8:]}")


@pytest.fixture
def deployed(namespace: Namespace) -> Namespace:
    """A namespace where the shop runs."""
    assert namespace.mill("secret", "set", "greeting", stdin=f"{SECRET}\n").stderr == "secret greeting set\n"
    done = namespace.deploy(shop(namespace))
    assert told(*FIRST, "deployed (s)").fullmatch(done.stdout), done
    assert done.code == 0
    assert done.stderr.splitlines()[0] == f"plan for {namespace.name}/mill (new): 4 added"
    return namespace


def told(*lines: str) -> re.Pattern[str]:
    """Exactly these lines; `(s)` in one stands for a time."""
    return re.compile("".join(re.escape(f"  {line}\n").replace(r"\(s\)", r"\(\d+\.\ds\)") for line in lines))


def rows(text: str) -> list[list[str]]:
    return [re.split(r"  +", line.strip()) for line in text.splitlines()]


def test_what_there_is(deployed: Namespace) -> None:
    volume, registry = f"data-{deployed.name[-8:]}", deployed.registry
    status = deployed.mill("status")
    assert re.match(
        rf"NAMESPACE: {deployed.name}\nDEPLOYMENT: mill, healthy, \d/\d healthy, rollout 1, \d+[sm] ago\n"
        r"CLUSTER: 1 node, all ready\n\nSERVICES\n"
        r" NAME +STATE +SERVING +UPDATED +RESTARTS +AGE +CHANGED +IMAGE +ADDRESS",
        status.stdout,
    )
    (web,) = [each for each in rows(status.stdout) if each[0] == "web"]
    assert (web[:5], web[7]) == (["web", "Healthy", "2/2", "2/2", "0"], f"{registry}/web:1")
    assert web[8].startswith(f"web.{deployed.name}:8080")
    assert all(re.fullmatch(r"\d+[smh]", each) for each in web[5:7])
    assert "PROBLEMS" not in status.stdout
    assert deployed.mill("status", "--exit-code").code == 0
    everywhere = deployed.run(str(MILL), "status", "--all-namespaces").stdout
    assert [deployed.name, "mill", "Healthy"] in [each[:3] for each in rows(everywhere)]
    missing = deployed.run(str(MILL), "status", "--namespace", f"{deployed.name}-not", check=False)
    assert (missing.stdout, missing.code) == ("", 1)
    assert missing.stderr.startswith(f'error: namespace "{deployed.name}-not" does not exist\n  help: ')
    other = deployed.mill("status", "--name", "mlil")
    assert other.stderr.splitlines() == [
        f'error: no deployment "mlil" in namespace {deployed.name}',
        "  help: did you mean `mill`?",
        "  help: choose a deployment with --name: mill",
    ]
    whole = json.loads(deployed.mill("status", "--json").stdout)
    assert list(whole) == ["cluster", "services", "tasks", "nodes"]
    (node,) = json.loads(deployed.mill("nodes", "--json").stdout)
    assert (node["id"], rows(deployed.mill("nodes").stdout)[1][:2]) == (NODE, [NODE, "ready"])

    assert rows(deployed.mill("volume", "list").stdout)[1][:3] == [volume, "attached", NODE]
    refused = deployed.mill("volume", "delete", volume)
    assert (refused.stderr.splitlines()[0], refused.code) == ("error: volume is attached", 1)

    assert deployed.mill("secret", "list").stdout == " NAME     \n greeting \n"
    assert deployed.mill("secret", "get", "greeting").stdout == f"{SECRET}\n"
    assert SECRET not in status.stdout + deployed.mill("logs", "--all").stdout

    lines = deployed.mill("logs", "web").stdout.splitlines()
    assert [line.split(" ", 2)[2] for line in lines] == ["web 1 listening on port 8080"] * 2
    assert len(deployed.mill("logs", "web", "-n", "0").stdout) == 0
    assert deployed.mill("logs", "web", "-n", deployed.name).stdout.splitlines() == lines
    every = deployed.mill("logs", "--all").stdout.splitlines()
    assert [line.split()[0] for line in every] == ["[web]", "[web]", "[store]"]
    unknown = deployed.mill("logs", "nothing")
    assert (unknown.stdout, unknown.code) == ("", 1)
    assert unknown.stderr.startswith('error: no service, task, run or pod "nothing"\n')


def test_a_change_is_shown_made_joined_and_remembered(deployed: Namespace, tmp_path: Path) -> None:
    file = tmp_path / "next.mill"
    file.write_text(
        shop(deployed).replace("REGISTRY/web:1", f"{deployed.registry}/web:2", 1).replace("REGISTRY", deployed.registry)
    )
    shown = deployed.mill("diff", str(file), "--exit-code")
    assert shown.stdout == (
        f"~ service web: changed\n    image: {deployed.registry}/web:1 → {deployed.registry}/web:2\n"
        f"{deployed.name}/mill: 1 changed, 3 unchanged\n"
    )
    assert shown.code == 1
    changed = deployed.mill("deploy", str(file))
    assert re.fullmatch(rf"  web:   scheduled on {NODE}\n  web:   healthy\n  deployed \(.*s\)\n", changed.stdout), (
        changed
    )
    assert deployed.mill("diff", str(file)).stdout == f"{deployed.name}/mill: no changes\n"

    joined = deployed.mill("watch")
    assert (joined.stdout, joined.code) == (changed.stdout, 0)
    past = deployed.mill("watch", "--rollout", "1")
    assert told("deployed (s)").fullmatch(past.stdout)
    assert [row[0] for row in rows(deployed.mill("history", "--rollouts").stdout)] == ["ROLLOUT", "2", "1"]
    assert [row[-1] for row in rows(deployed.mill("history", "--rollouts").stdout)][1:] == ["succeeded", "succeeded"]

    before = deployed.ready_pods("web")
    restarted = deployed.mill("restart", "web")
    assert re.fullmatch(rf"  web: scheduled on {NODE}\n  web: healthy\n  restarted \(.*s\)\n", restarted.stdout), (
        restarted
    )
    wait_for("new pods only", lambda: set(deployed.ready_pods("web")).isdisjoint(before))
    unknown = deployed.mill("restart", "nothing")
    assert (unknown.stdout, unknown.stderr.splitlines()[0], unknown.code) == (
        "",
        f'error: no service "nothing" in namespace {deployed.name}',
        1,
    )


def test_runs_of_tasks(deployed: Namespace) -> None:
    spawned = deployed.mill("spawn", "sleep")
    assert spawned.code == 0, spawned
    run = re.fullmatch(r"  id:      (sleep-\w+)\n  status:  running\n", spawned.stdout)
    assert run is not None
    shown = next(row for row in rows(deployed.mill("ps").stdout) if row[0] == run[1])
    assert (shown[:6], len(shown)) == ([run[1], "sleep", NODE, "running", "0.0", "244.1 MiB"], 7)
    killed = deployed.mill("kill", run[1])
    assert (killed.stdout, killed.stderr, killed.code) == ("", f"task {run[1]} killed\n", 0)
    migrated = json.loads(deployed.mill("spawn", "migrate", "--json").stdout)["id"]
    followed = deployed.mill("logs", migrated, "--follow")
    assert "migrating" in followed.stdout
    assert followed.code == 0
    broken = deployed.mill("spawn", "--image", f"{deployed.registry}/web:missing")
    assert (broken.stdout, broken.code) == ("", 1)
    image = f"{deployed.registry}/web:missing"
    assert broken.stderr.startswith(f"error: image pull failed: tag not found (image {image})\n  help: ")
    assert "gateway's log" not in broken.stderr
    nothing = deployed.mill("spawn", "nothing").stderr
    assert nothing.splitlines()[0] == f'error: no task "nothing" in namespace {deployed.name}'


def test_a_resource_is_deployed_under_its_own_name(namespace: Namespace, tmp_path: Path) -> None:
    text = 'service "web" {\n  image = "REGISTRY/web:1"\n  port  = 8080\n  cpu   = 0.02\n}\n'
    file = tmp_path / "web.mill"
    file.write_text(text.replace("REGISTRY", namespace.registry))
    rendered = namespace.run(str(MILL), "render", str(file), "--name", "other").stdout
    assert yaml.safe_load(rendered)["metadata"] == {"name": "other"}
    done = namespace.mill("deploy", "-", stdin=rendered)
    assert done.code == 0, done
    assert namespace.condition("Ready", "other")["status"] == "True"
    assert [row[0] for row in rows(namespace.mill("history", "--rollouts", "--name", "other").stdout)] == [
        "ROLLOUT",
        "1",
    ]
    applied = yaml.safe_load(namespace.kubectl("get", "md", "other", "-o", "yaml"))
    back = namespace.mill("render", "-", "-o", "mill", stdin=yaml.safe_dump(applied))
    assert namespace.mill("diff", "-", "--name", "other", stdin=back.stdout).stdout.endswith("no changes\n")


def test_a_drain_that_is_not_allowed_says_what_allows_it(namespace: Namespace) -> None:
    done = namespace.mill("drain", NODE)
    assert (done.stdout, done.code) == ("", 1)
    assert "MILL_DRAIN=true" in done.stderr


def test_a_gateway_that_is_killed_in_the_middle_costs_no_line(
    namespace: Namespace, start_gateway: Any, tmp_path: Path
) -> None:
    gateway: GatewayProcess = start_gateway()
    file = tmp_path / "slow.mill"
    file.write_text(
        "".join(
            f'service "{name}" {{\n  image = "{namespace.registry}/web:1"\n  port = 8080\n  cpu = 0.02\n'
            f'  command = ["/web", "-ready-after", "{seconds}s"]\n  health {{ path = "/healthz" }}\n}}\n'
            for name, seconds in (("quick", 0), ("slow", 6))
        )
    )
    command = [str(MILL), "deploy", str(file), "-v", "--namespace", namespace.name, "--address", gateway.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        gateway.kill()
        gateway.start()
        rest, said = process.communicate(timeout=60)
    lines = [f"{name:<6} {phase}" for name in ("quick:", "slow:") for phase in (f"scheduled on {NODE}", "healthy")]
    assert told(*lines, "deployed (s)").fullmatch(first + rest), (first + rest, said)
    assert "connection lost" in said
    assert process.returncode == 0
