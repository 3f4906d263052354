"""`mill spawn --file`: a task of a file that need not be deployed."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import FakeGateway, as_json, refusal

RUN = {"id": "migrate-11cc64ba", "node": "node-1", "status": "running", "address": None, "name": "migrate"}
FILE = """\
task "migrate" {
  image = "registry.example/web:3"
}
"""
TWO = FILE + FILE.replace("migrate", "seed")
RESOURCE = """\
apiVersion: mill.dev/v1alpha1
kind: MillDeployment
metadata: {name: blue, namespace: shop}
spec:
  tasks: [{name: migrate, image: "registry.example/web:3"}]
"""


def write(mill: Mill, text: str, name: str = "new.mill") -> Path:
    path = mill.folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("task", [["migrate"], []], ids=["named", "the only one"])
def test_the_file_is_sent_with_the_name_of_the_task(mill: Mill, gateway: FakeGateway, task: list[str]) -> None:
    write(mill, FILE)
    gateway.answers("POST", "/v1/tasks/spawn", as_json(RUN))
    done = mill("spawn", *task, "-f", "new.mill", "--env", "STEPS=3", "-n", "shop")
    assert (done.stdout, done.stderr, done.code) == ("  id:      migrate-11cc64ba\n  status:  running\n", "", 0)
    (asked,) = gateway.asked
    assert asked.query == {"namespace": "shop"}
    body = json.loads(asked.body)
    assert {key: value for key, value in body.items() if value is not None} == {
        "file": {"task": "migrate", "text": FILE},
        "env": {"STEPS": "3"},
    }


def test_a_resource_runs_in_its_own_namespace(mill: Mill, gateway: FakeGateway) -> None:
    write(mill, RESOURCE, "new.yaml")
    gateway.answers("POST", "/v1/tasks/spawn", as_json(RUN))
    assert mill("spawn", "migrate", "-f", "new.yaml").code == 0
    (asked,) = gateway.asked
    assert asked.query == {"namespace": "shop", "name": "blue"}
    assert 'image = "registry.example/web:3"' in json.loads(asked.body)["file"]["text"]


def test_problems_of_the_file_have_their_places(mill: Mill, gateway: FakeGateway) -> None:
    write(mill, FILE.replace("image", "imgae"))
    wrong = refusal(400, "invalid config: 2 problems", code="invalid_mill_file", diagnostics=[{}])
    gateway.answers("POST", "/v1/tasks/spawn", wrong)
    done = mill("spawn", "migrate", "-f", "new.mill")
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr.startswith("error: ")
    assert "new.mill:2:3" in done.stderr


def test_a_task_that_the_file_does_not_have_is_named(mill: Mill, gateway: FakeGateway) -> None:
    write(mill, FILE)
    there = "the file has no task seed; it has migrate"
    gateway.answers("POST", "/v1/tasks/spawn", refusal(404, there, code="task_not_found"))
    done = mill("spawn", "seed", "-f", "new.mill")
    assert (done.stderr, done.code) == (f"error: {there}\n", 1)


def test_a_gateway_that_knows_no_files_runs_nothing(mill: Mill, gateway: FakeGateway) -> None:
    write(mill, FILE)
    only = refusal(400, "must specify exactly one of 'task' or 'image'", code="invalid_run")
    gateway.answers("POST", "/v1/tasks/spawn", only)
    done = mill("spawn", "migrate", "-f", "new.mill")
    assert (done.stderr, done.code) == (
        "error: this gateway is too old to run a task of a file\n  help: upgrade it\n",
        1,
    )


@pytest.mark.parametrize(
    ("text", "arguments", "error", "code"),
    [
        (TWO, [], "error: new.mill has 2 tasks\n  help: name one of them: migrate, seed\n", 2),
        ("", [], "error: new.mill has no task\n", 2),
        (FILE, ["--image", "web:1"], "error: --file and --image exclude each other\n  help: give one of them\n", 2),
        (None, ["migrate"], "error: new.mill: No such file or directory\n", 4),
    ],
    ids=["several", "none", "an image as well", "no file"],
)
def test_wrong_usage_asks_for_nothing(
    mill: Mill, gateway: FakeGateway, text: str | None, arguments: list[str], error: str, code: int
) -> None:
    if text is not None:
        write(mill, text)
    done = mill("spawn", *arguments, "-f", "new.mill")
    assert (done.stdout, done.stderr, done.code, gateway.asked) == ("", error, code, [])


def test_a_file_that_is_no_text_is_refused_here(mill: Mill, gateway: FakeGateway) -> None:
    (mill.folder / "new.mill").write_bytes(b"\xff" + FILE.encode())
    done = mill("spawn", "migrate", "-f", "new.mill")
    assert ("not UTF-8" in done.stderr, done.code, gateway.asked) == (True, 1, [])
