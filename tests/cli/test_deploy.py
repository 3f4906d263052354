"""`mill deploy` without a terminal: the seed's lines to the byte, and as JSON."""

import json

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import FakeGateway, rollout

SEED = 'service "web" {\n  image = "web:1"\n}\n\nservice "broken" {\n  image = "web:missing"\n}\n'
EVENTS = (
    ("failed", {"service": "broken", "reason": "image pull failed: tag not found"}),
    ("progress", {"service": "web", "phase": "scheduled", "node": "node-1"}),
    ("progress", {"service": "web", "phase": "healthy"}),
    ("done", {"elapsed": 12.4, "success": False}),
)
LINES = """\
  web:    scheduled on node-1
  web:    healthy
  broken: failed: image pull failed: tag not found
  deploy finished with errors
"""


def test_the_seeds_lines_to_the_byte(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(*EVENTS))
    done = mill("deploy", "-f", mill.file(SEED))
    assert (done.stdout, done.stderr, done.code) == (LINES, "", 1)
    assert [(each.method, each.path, each.query, each.body) for each in gateway.asked] == [
        ("POST", "/v1/deploy", {}, SEED.encode())
    ]


def test_json_is_one_object_a_line_with_nested_data(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(*EVENTS))
    done = mill("deploy", "--json", mill.file(SEED))
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["event"], each["data"]) for each in told] == list(EVENTS)
    assert (done.stderr, done.code) == ("", 1)
