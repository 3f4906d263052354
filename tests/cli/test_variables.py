"""Variables and environments from elsewhere on the command line: where values come from, and what the gateway gets."""

import json
import os

import pytest

from mill_language import parse, render
from tests.cli.conftest import Mill
from tests.cli.fake_gateway import FakeGateway, as_json, refusal, rollout

DONE = ("done", {"elapsed": 4.2, "success": True})
FILE = """\
variable "tag" { default = "1.0" }

env "rails" { RAILS_ENV = "production" }

service "web" {
  image    = "registry.example/web:${var.tag}"
  use      = ["rails"]
  env_file = ["env/staging.env"]
}

task "migrate" {
  image = "registry.example/web:${var.tag}"
}
"""
SECRET = "hunter2-hunter2"


def resolved(tag: str) -> str:
    """Return the text that the gateway gets."""
    return f"""\
service "web" {{
  image = "registry.example/web:{tag}"

  env {{
    RAILS_ENV = "production"
    SMTP      = "mail"
  }}
}}

task "migrate" {{
  image = "registry.example/web:{tag}"
}}
"""


@pytest.fixture
def shop(mill: Mill) -> Mill:
    """A folder with the file, and what it reads."""
    mill.file(FILE, "shop.mill")
    (mill.folder / "env").mkdir()
    mill.file("# mail\nRAILS_ENV=staging\nSMTP=mail\n", "env/staging.env")
    mill.file("tag=3.0\n", "a.vars")
    mill.file("tag='4.0'\n", "b.vars")
    return mill


@pytest.mark.parametrize(
    ("arguments", "variables", "tag"),
    [
        ([], {}, "1.0"),
        ([], {"MILL_VAR_tag": "2.0", "MILL_VAR_other": "x"}, "2.0"),
        (["--vars", "a.vars"], {"MILL_VAR_tag": "2.0"}, "3.0"),
        (["--vars", "a.vars", "--vars", "b.vars"], {}, "4.0"),
        (["--var", "tag=5.0", "--vars", "a.vars"], {"MILL_VAR_tag": "2.0"}, "5.0"),
        (["--var", "tag=5.0", "--var", "tag=6.0"], {}, "6.0"),
    ],
)
def test_the_gateway_gets_the_file_that_results(
    shop: Mill, gateway: FakeGateway, arguments: list[str], variables: dict[str, str], tag: str
) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(DONE))
    done = shop("deploy", "shop.mill", *arguments, **variables)
    assert (done.stderr, done.code) == ("", 0)
    (asked,) = gateway.asked
    assert asked.body.decode() == resolved(tag)
    shown = shop("render", "shop.mill", "-o", "mill", *arguments, **variables)
    assert shown.stdout == resolved(tag) == render(parse(resolved(tag)))


def test_every_command_with_a_file_takes_values(shop: Mill, gateway: FakeGateway) -> None:
    run = {"id": "migrate-1", "node": "n", "status": "running", "address": None, "name": "migrate"}
    gateway.answers("POST", "/v1/tasks/spawn", as_json(run))
    assert shop("spawn", "-f", "shop.mill", "--var", "tag=7").code == 0
    (asked,) = gateway.asked
    assert json.loads(asked.body)["file"] == {"task": "migrate", "text": resolved("7")}
    gateway.plans(refusal(400, "no", code="x"))
    shop("diff", "shop.mill", "--var", "tag=8")
    assert gateway.planned[-1].body.decode() == resolved("8")
    done = shop("render", "shop.mill", "--var", "tag=9", "--json")
    assert json.loads(done.stdout)["spec"]["services"][0]["image"] == "registry.example/web:9"
    assert shop("validate", "shop.mill", "--var", "tag=a b").code == 1


def test_problems_have_the_places_of_the_file_of_the_user(shop: Mill, gateway: FakeGateway) -> None:
    done = shop("deploy", "shop.mill", "--var", "tag=a b")
    assert done.code == 1
    assert "--> shop.mill:6:14" in done.stderr
    assert "'registry.example/web:a b' is not an image reference" in done.stderr
    assert gateway.asked == gateway.planned == []


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["--var", "tga=1"], "error: shop.mill declares no variable 'tga' (--var)\n  help: did you mean `tag`?\n", 2),
        (["--var", "x=1"], "error: shop.mill declares no variable 'x' (--var)\n  help: it declares tag\n", 2),
        (
            ["--vars", "c.vars"],
            "error: shop.mill declares no variable 'tga' (c.vars:2)\n  help: did you mean `tag`?\n",
            2,
        ),
        (["--var", "tag"], "error: --var takes NAME=VALUE\n  help: write --var tag=2.1\n", 2),
        (["--vars", "none.vars"], "error: none.vars: No such file or directory\n", 4),
        (
            ["--vars", "bad.vars"],
            "error: bad.vars:1: expected NAME=value\n  help: write one NAME=value on each line\n",
            4,
        ),
    ],
)
def test_values_that_cannot_be_given(shop: Mill, arguments: list[str], message: str, code: int) -> None:
    shop.file(f"# one\ntga={SECRET}\n", "c.vars")
    shop.file(f"{SECRET}\n", "bad.vars")
    done = shop("validate", "shop.mill", *arguments)
    assert (done.stdout, done.stderr, done.code) == ("", message, code)


def test_a_resource_has_no_variables(shop: Mill) -> None:
    shop.file(shop("render", "shop.mill").stdout, "shop.yaml")
    done = shop("validate", "shop.yaml", "--var", "tag=1")
    assert (done.code, "has no variables" in done.stderr) == (2, True)
    assert shop("spawn", "migrate", "--var", "tag=1").code == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../secret.env", "'../secret.env' is not in the folder of the .mill file"),
        ("/etc/passwd", "'/etc/passwd' is not in the folder of the .mill file"),
        ("env/../../secret.env", "'env/../../secret.env' is not in the folder of the .mill file"),
        ("", "'' is not in the folder of the .mill file"),
        ("link.env", "link.env: link.env is a link"),
        ("folder/staging.env", "folder/staging.env: folder is a link"),
        ("env", "env: is a directory"),
        ("pipe", "pipe: is not a regular file"),
        ("none.env", "none.env: no such file or directory"),
        ("bad.env", "bad.env:1: expected NAME=value"),
        ("binary.env", "binary.env: the file has a NUL character"),
        ("large.env", "large.env: the file has more than 65,536 bytes"),
    ],
)
def test_files_of_variables_that_are_refused(shop: Mill, name: str, message: str) -> None:
    (shop.folder / "link.env").symlink_to(shop.folder / "env/staging.env")
    (shop.folder / "folder").symlink_to(shop.folder / "env")
    os.mkfifo(shop.folder / "pipe")
    shop.file(f"{SECRET}\n", "bad.env")
    shop.file(f"A={SECRET}\0\n", "binary.env")
    shop.file("#" * 65_537, "large.env")
    shop.file(FILE.replace("env/staging.env", name), "shop.mill")
    done = shop("validate", "shop.mill")
    assert done.code == 1
    assert f"error: service.web.env_file.0: {message}\n --> shop.mill:8:15\n" in done.stderr
    assert SECRET not in done.stderr


def test_files_are_those_beside_the_file_wherever_it_is_run(shop: Mill) -> None:
    (shop.folder / "sub").mkdir()
    (shop.folder / "sub/env").mkdir()
    shop.file(FILE, "sub/shop.mill")
    shop.file("SMTP=sub\n", "sub/env/staging.env")
    assert 'SMTP      = "sub"' in shop("render", "sub/shop.mill", "-o", "mill").stdout
    assert 'SMTP      = "mail"' in shop("render", "-", "-o", "mill", stdin=FILE).stdout


def test_warnings_are_shown_and_nothing_is_refused(shop: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(DONE))
    shop.file(FILE + 'variable "old" { default = 1 }\n', "shop.mill")
    for command in ("validate", "deploy", "render"):
        done = shop(command, "shop.mill")
        assert done.code == 0
        assert done.stderr.startswith("warning: variable.old: variable 'old' is not used\n  --> shop.mill:14:10\n")
    done = shop("validate", "shop.mill", "--json")
    (line,) = done.stdout.splitlines()
    assert (json.loads(line)["severity"], json.loads(line)["line"], done.code) == ("warning", 14, 0)
    assert shop("deploy", "shop.mill", "--quiet").stderr == ""


def test_a_file_that_only_has_the_words_is_sent_as_it_is(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(DONE))
    text = '# use env_file, variable\nservice "web" {\n  image = "web"\n}\n'
    mill.file(text, "shop.mill")
    assert mill("deploy", "shop.mill").code == 0
    assert gateway.asked[0].body.decode() == text
