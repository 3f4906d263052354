"""Which file a command takes: the one that is named, `mill.conf`, or the one `.mill` file that is there."""

from pathlib import Path

import pytest

from tests.cli.conftest import Mill
from tests.cli.example_files import AS_MILL, RESOURCE
from tests.cli.fake_gateway import FakeGateway, rollout

DONE = rollout(("done", {"elapsed": 4.2, "success": True}))


def test_without_a_name_it_is_mill_conf_and_then_the_one_mill_file(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", DONE)
    mill.file(AS_MILL, "blue.mill")
    mill.file("never read", "blue.yaml")
    done = mill("deploy")
    assert (done.stdout, done.stderr, done.code) == (
        "  deployed (4.2s)\n",
        "note: no file is given; this is blue.mill\n",
        0,
    )
    assert gateway.asked[-1].body == AS_MILL.encode()
    assert mill("deploy", "-q").stderr == ""
    assert mill("validate").stdout == "blue.mill: valid\n"
    mill.file(AS_MILL.replace("web:1", "web:2"), "mill.conf")
    done = mill("deploy")
    assert (done.stderr, b"web:2" in gateway.asked[-1].body) == ("", True)


@pytest.mark.parametrize("command", ["deploy", "validate", "render", "diff"])
def test_of_several_files_none_is_chosen(mill: Mill, gateway: FakeGateway, command: str) -> None:
    for name in ("shop", "blog"):
        mill.file(AS_MILL, f"{name}.mill")
    done = mill(command)
    assert (done.stdout, done.code, gateway.asked, gateway.planned) == ("", 4, [], [])
    assert done.stderr == (
        "error: no file is given, there is no mill.conf, and there are several .mill files: blog.mill, shop.mill\n"
        "  help: name one, such as `mill deploy blog.mill`\n"
    )


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("shpo.mill", "did you mean shop.mill?"),
        ("shop", "did you mean shop.mill?"),
        ("shop.yaml", "did you mean shop.mill?"),
        ("envs/prod.mill", "did you mean envs/production.mill?"),
        ("envs/x.mill", "the folder has envs/production.mill"),
        ("xyzzy", "the folder has shop.mill"),
        ("gone/shop.mill", None),
    ],
)
def test_a_file_that_does_not_exist_has_near_names(mill: Mill, name: str, hint: str | None) -> None:
    Path(mill.folder, "envs").mkdir()
    for there in ("shop.mill", "envs/production.mill", "notes.txt"):
        mill.file(AS_MILL, there)
    done = mill("deploy", name)
    advice = f"  help: {hint}\n" if hint else ""
    assert (done.stdout, done.stderr, done.code) == ("", f"error: {name}: No such file or directory\n{advice}", 4)


def test_a_folder_is_no_file(mill: Mill) -> None:
    Path(mill.folder, "envs").mkdir()
    mill.file(AS_MILL, "envs/production.mill")
    done = mill("validate", "envs")
    assert done.stderr == "error: envs: Is a directory\n  help: name a file in it, such as envs/production.mill\n"


LARGE = "check that this is a .mill file; large values belong into images, volumes or secrets"


@pytest.mark.parametrize("command", ["deploy", "validate", "render", "diff"])
def test_a_file_that_is_too_large_is_not_sent(mill: Mill, gateway: FakeGateway, command: str) -> None:
    mill.file("#" * (256 * 1024) + "\n" + AS_MILL, "large.mill")
    done = mill(command, "large.mill")
    size = f"{256 * 1024 + 1 + len(AS_MILL.encode()):,}"
    assert (done.stdout, done.code, gateway.asked, gateway.planned) == ("", 4, [], [])
    assert done.stderr == f"error: large.mill: {size} bytes; a .mill file has at most 262,144\n  help: {LARGE}\n"
    mill.file("#" * 5_000_000, "large.yaml")
    done = mill(command, "large.yaml")
    assert (done.code, done.stderr.splitlines()[0]) == (4, "error: large.yaml: more than 2,097,152 bytes")


def test_a_milldeployment_that_is_too_large_as_a_mill_file_is_not_sent(mill: Mill, gateway: FakeGateway) -> None:
    values = "".join(f"      V{at}: '{'x' * 1000}'\n" for at in range(300))
    done = mill("deploy", mill.file(RESOURCE + values, "large.yaml"))
    assert (done.stdout, done.code, gateway.asked) == ("", 1, [])
    first, place, *_, advice = done.stderr.splitlines()
    assert first.startswith("error: invalid config: spec: as a .mill file it has 30")
    assert first.endswith(" bytes; a deploy takes at most 262,144")
    assert (place, advice) == (" --> large.yaml:6:1", "  = help: use `kubectl apply --server-side -f`")
