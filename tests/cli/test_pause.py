"""`pause`, `resume`, and a rollout of a paused deployment."""

import json

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import FakeGateway, as_json, rollout

VIEW = {"name": "mill", "namespace": "shop", "paused": True, "owner": None}
WAITING = {"phase": "waiting", "code": "Paused", "message": "paused"}
FILE = 'service "web" {\n  image = "web:1"\n}\nservice "worker" {\n  image = "web:1"\n}\n'


def test_pause_and_resume_say_what_follows(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deployments/mill/pause", as_json(VIEW))
    done = mill("pause", "-n", "shop")
    assert (done.stdout, done.code) == ("", 0)
    assert done.stderr == "paused shop/mill: deploys are accepted and wait; `mill resume` goes on\n"
    gateway.answers("POST", "/v1/deployments/mill/resume", as_json(VIEW | {"paused": False}))
    assert mill("resume").stderr == "resumed shop/mill: `mill watch` follows what was waiting\n"
    assert json.loads(mill("resume", "--json").stdout)["paused"] is False
    assert mill("resume", "--quiet").stderr == ""


def test_a_tool_that_manages_the_deployment_is_named(mill: Mill, gateway: FakeGateway) -> None:
    view = VIEW | {"owner": "the Argo CD application shop"}
    gateway.answers("POST", "/v1/deployments/mill/resume", as_json(view))
    note = "the Argo CD application shop manages it: what Git says of the annotation mill.dev/paused wins at the next"
    assert note in mill("resume").stderr


def test_a_deploy_of_a_paused_deployment_says_once_that_it_waits(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers(
        "POST",
        "/v1/deploy",
        rollout(
            ("progress", {"service": "web", **WAITING}),
            ("progress", {"service": "worker", **WAITING}),
            ("progress", {"service": "web", "phase": "healthy"}),
            ("progress", {"service": "worker", "phase": "healthy"}),
            ("done", {"elapsed": 4.2, "success": True}),
        ),
    )
    done = mill("deploy", "-", stdin=FILE)
    assert done.stdout == "  web:    healthy\n  worker: healthy\n  deployed (4.2s)\n"
    assert done.stderr.count("waiting: paused (`mill resume` goes on)\n") == 1
