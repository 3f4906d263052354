"""An application with stand-ins is the same one: its services, ports, checks and users."""

from pathlib import Path

import pytest

from mill_api.spec import MillDeploymentSpec
from mill_api.validation import problems
from mill_language import parse, render
from tests.support.example_apps import APPS, read
from tests.support.standing_in import commands, secrets, stand_in

IMAGE = "registry.example/standin:1"
KEPT = ("name", "port", "args", "files", "health", "live", "user", "group", "stop", "volumes")


@pytest.mark.parametrize("file", APPS, ids=lambda file: file.stem)
def test_every_example_can_be_stood_in_for(file: Path) -> None:
    spec = read(file).spec
    made = stand_in(spec, IMAGE, "x.example.com")
    assert problems(made) == []
    assert parse(render(made)) == made
    assert {each.image for each in made.services} == {IMAGE}
    own, other = (each.to_wire()["services"] for each in (spec, made))
    assert isinstance(own, list)
    assert isinstance(other, list)
    for before, after in zip(own, other, strict=True):
        assert {key: before.get(key) for key in KEPT} == {key: after.get(key) for key in KEPT}
        assert before.get("env", {}).items() <= after["env"].items() if "env" in after else not before.get("env")


def test_programs_and_secrets_of_an_application_are_found() -> None:
    text = """
    service "web" {
      image   = "web:1"
      command = ["./bin/web", "--key", "${secret(a)}"]
      env { B = "x ${secret(b.c)}" }
    }
    service "db" {
      image   = "db:1"
      command = ["db"]
    }
    """
    spec: MillDeploymentSpec = parse(text)
    assert commands(spec) == {"/bin/web", "db"}
    assert secrets(spec) == {"a", "b.c"}
    first = stand_in(spec, IMAGE, "x.example.com").services[0]
    assert first.command == ["/bin/web", "--key", "${secret(a)}"]
