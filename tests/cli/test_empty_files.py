"""Files in which there is nothing: a deploy of them would remove everything."""

import pytest

from tests.cli.conftest import Mill
from tests.cli.example_files import RESOURCE
from tests.cli.fake_gateway import FakeGateway, refusal, rollout
from tests.cli.plans import DONE

EMPTY = "no service and no task: a deploy of this file removes everything that is deployed"


NOTHING = {
    "nothing": "",
    "blanks": " \n\t\n",
    "comments": "# x\n// y\n/* z\n * z */\n",
    "a comment that ends the file": "# x",
    "a resource": "apiVersion: mill.dev/v1alpha1\nkind: MillDeployment\nmetadata: {name: blue}\nspec: {}\n",
    "a resource without a spec": '{"apiVersion": "mill.dev/v1alpha1", "kind": "MillDeployment"}',
}


def _name(text: str) -> str:
    return "empty.yaml" if "kind" in text else "empty.mill"


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_a_file_without_anything_is_not_sent(mill: Mill, gateway: FakeGateway, text: str) -> None:
    file = mill.file(text, _name(text))
    for arguments, stdin in (([file], None), (["-"], text)):
        done = mill("deploy", *arguments, stdin=stdin)
        name = "<stdin>" if stdin is not None else file
        assert (done.stdout, done.code) == ("", 1)
        assert done.stderr.startswith(f"error: {name}: {EMPTY}\n  help: check the ")
        assert done.stderr.endswith("; if that is meant, use --allow-empty\n")
    assert gateway.asked == gateway.planned == []


@pytest.mark.parametrize("text", ["/* not ended", "#\nx", "/", "/*/"])
def test_what_is_more_than_comments_is_the_gateways_to_judge(mill: Mill, gateway: FakeGateway, text: str) -> None:
    gateway.plans(refusal(400, "invalid config: parse error", code="invalid_mill_file", diagnostics=[]))
    assert mill("deploy", mill.file(text)).code == 1
    assert [each.body for each in gateway.planned] == [text.encode()]


def test_a_command_that_wrote_nothing_into_the_pipe(mill: Mill, gateway: FakeGateway) -> None:
    done = mill.shell("cat nope.mill 2>/dev/null | mill deploy -")
    assert (done.stdout, done.code) == ("", 1)
    assert f"error: <stdin>: {EMPTY}\n  help: check the command that writes it" in done.stderr
    assert mill("deploy", "/dev/null").code == 1
    assert gateway.asked == []


@pytest.mark.parametrize("text", [*NOTHING.values(), "service = {}\n"])
def test_validate_says_that_there_is_nothing(mill: Mill, text: str) -> None:
    file = mill.file(text, _name(text))
    done = mill("validate", file)
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr.startswith(f"error: {EMPTY}\n --> {file}:1:1\n")
    assert mill("validate", file, "--allow-empty").stdout == f"{file}: valid\n"
    as_line = mill("validate", file, "--json")
    assert (as_line.stdout.count("\n"), f'"message":"{EMPTY}"' in as_line.stdout, as_line.code) == (1, True, 1)


def test_a_resource_with_something_is_deployed(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(DONE))
    assert mill("deploy", "-", stdin=RESOURCE).code == 0
