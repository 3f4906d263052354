"""Commands that need no gateway: `validate`, `render`, `explain`, `version`, and what has no meaning here."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Mill
from tests.cli.example_files import AS_MILL, BAD, PROBLEMS, RESOURCE

MISSPELT = """\
error: spec.services[0].replica: unknown field
  --> FILE:10:5
   |
10 |     replica: 2
   |     ^
   = help: did you mean `replicas`?
"""

CONTRADICTED = """\
error: spec.services[0].env.PORT: PORT contradicts `port`, whose value the program gets in PORT
  --> FILE:13:7
   |
13 |       PORT: '81'
   |       ^
  ::: FILE:11:5
   |
11 |     port: 80
   |     - the other one is here
   = help: leave PORT out, and set `port` to the number on which the program listens
"""


@pytest.mark.parametrize(
    ("name", "text", "problems"),
    [
        ("bad.mill", BAD, PROBLEMS),
        ("bad.yaml", RESOURCE.replace("replicas:", "replica:"), MISSPELT),
        ("two.yaml", "a: 1\n---\n", "error: the file has more than one document; a deploy takes one MillDeployment\n"),
        ("other.yml", "kind: Deployment\n", "error: kind: not a MillDeployment\n --> FILE:1:1\n"),
        (
            "web.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n",
            "error: kind: this is a Kubernetes Deployment, not a MillDeployment\n --> FILE:2:1\n",
        ),
        (
            "compose.yaml",
            "services:\n  web:\n    image: web:1\n",
            "error: this looks like a Compose file, not a MillDeployment\n --> FILE:1:1\n",
        ),
        ("compose.mill", "services:\n  web: {image: 'web:1'}\n", "error: this looks like a Compose file, "),
        ("help.mill", 'service "web" { image = "web:1", port = 80 }\n', "error: unexpected `,`\n --> FILE:1:32\n"),
        ("port.yaml", RESOURCE.replace("env:", "port: 80\n    env:\n      PORT: '81'"), CONTRADICTED),
        ("no.json", "[1", "error: while parsing a flow sequence: did not find expected ',' or ']'\n"),
        ("old.json", '{"kind": "MillDeployment"}', "error: apiVersion: apiVersion must be mill.dev/v1alpha1\n"),
    ],
)
def test_validate_shows_what_is_wrong_and_where(mill: Mill, name: str, text: str, problems: str) -> None:
    mill.file(text, name)
    done = mill("validate", name)
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr.startswith(problems.replace("FILE", name))
    as_lines = mill("validate", "--json", "-f", name)
    told = [json.loads(line) for line in as_lines.stdout.splitlines()]
    assert [each["filename"] for each in told] == [name] * done.stderr.count("error: ")
    assert (as_lines.stderr, as_lines.code) == ("", 1)


def test_validate_of_a_valid_file_says_so(mill: Mill) -> None:
    for name, text in (("good.mill", AS_MILL), ("good.yaml", RESOURCE)):
        done = mill("validate", mill.file(text, name))
        assert (done.stdout, done.stderr, done.code) == (f"{name}: valid\n", "", 0)
    assert mill("validate", "good.mill", "--json").stdout == ""


def test_render_in_every_form(mill: Mill) -> None:
    mill.file(AS_MILL, "blue.mill")
    there = ("--name", "blue", "--namespace", "shop")
    assert mill("render", "blue.mill", *there).stdout == RESOURCE
    resource = json.loads(mill("render", "blue.mill", *there, "-o", "json").stdout)
    assert resource["spec"] == {
        "services": [{"name": "web", "image": "web:1", "replicas": 2, "env": {"GREETING": "Grüße"}}]
    }
    as_line = mill("render", "blue.mill", *there, "--json").stdout
    assert (json.loads(as_line), as_line.count("\n")) == (resource, 1)
    for given in (RESOURCE, as_line):
        done = mill("render", "-", "-o", "mill", stdin=given)
        assert (done.stdout, done.stderr, done.code) == (AS_MILL, "", 0)
    moved = mill("render", "-", "--name", "green", stdin=RESOURCE).stdout
    assert moved == RESOURCE.replace("blue", "green")


def test_render_refuses_what_is_wrong(mill: Mill) -> None:
    done = mill("render", mill.file(BAD, "bad.mill"))
    expected = PROBLEMS.replace("FILE", "bad.mill").replace("error: ", "error: invalid config: ", 1)
    assert (done.stdout, done.stderr, done.code) == ("", expected, 1)


def test_files_that_cannot_be_read(mill: Mill) -> None:
    Path(mill.folder, "folder").mkdir()
    for command in ("validate", "render", "deploy", "diff"):
        done = mill(command)
        assert (done.stdout, done.code) == ("", 4)
        assert done.stderr == (
            "error: no file is given, and there is no mill.conf and no .mill file here\n"
            "  help: name a file, such as `mill deploy production.mill`\n"
        )
    for command in ("validate", "deploy"):
        done = mill(command, "folder")
        assert (done.stderr, done.code) == ("error: folder: Is a directory\n", 4)
        done = mill(command, "a.mill", "-f", "b.mill")
        assert done.stderr.splitlines()[0] == "error: the file is given twice"
        assert done.code == 2


def test_explain_shows_a_code_in_any_case(mill: Mill) -> None:
    done = mill("explain", "tagnotfound", COLUMNS="60")
    assert (done.stderr, done.code) == ("", 0)
    assert done.stdout.startswith("TagNotFound\n\n  image pull failed: <what> not found\n    observed    `not found`")
    assert max(map(len, done.stdout.splitlines())) <= 60
    titles = [line.strip() for line in done.stdout.splitlines() if line.startswith("  ") and line[2] != " "][1:]
    assert titles == [
        "example, from the state of the pod's container",
        "what Kubernetes does meanwhile",
        "why Mill waits, or does not",
    ]
    (as_line,) = mill("explain", "TagNotFound", "--json").stdout.splitlines()
    entry = json.loads(as_line)
    assert entry["code"] == "TagNotFound"
    assert entry["example"].startswith("ErrImagePull: rpc error: code = NotFound desc = failed to pull")
    assert [cause["takes_back"] for cause in entry["causes"]] == ["yes"]
    overview, as_lines = mill("explain").stdout, mill("explain", "--json").stdout.splitlines()
    assert all(f"\n{json.loads(line)['code']}  " in f"\n{overview}" for line in as_lines)
    assert overview.endswith("\n`mill explain CODE` shows the causes of a code, an example, and what to do.\n")
    done = mill("explain", "TagNotFuond")
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr.startswith("error: unknown failure code 'TagNotFuond'\n  help: did you mean TagNotFound")
    assert done.stderr.endswith("  help: `mill explain` lists all codes\n")


def test_all_forms_of_version_print_the_version(mill: Mill) -> None:
    shown = mill("version").stdout
    number = shown.removeprefix("mill ").removesuffix("\n")
    assert number.replace(".", "").isdigit()
    for arguments in (["--version"], ["-V"], ["-V", "status"], ["--json", "--version"]):
        done = mill(*arguments)
        assert (done.stdout, done.stderr, done.code) == (shown, "", 0)
    assert mill("version", "--json").stdout == f'{{"version":"{number}"}}\n'


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("init", ["there is no cluster to initialize", "`mill status --context NAME`"]),
        ("join", ["nodes join the Kubernetes cluster", "`mill nodes`"]),
        ("leave", ["nodes leave the Kubernetes cluster", "`mill drain NODE`", "`mill remove NODE`"]),
    ],
)
def test_commands_of_the_originals_daemons_say_what_to_do_instead(mill: Mill, command: str, words: list[str]) -> None:
    done = mill(command, "http://10.0.0.1:4400", "--advertise", "10.0.0.2")
    assert (done.stdout, done.code) == ("", 2)
    assert done.stderr.startswith("error: ")
    assert all(each in done.stderr for each in words)
