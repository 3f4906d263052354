"""`mill validate` and `mill render`, as processes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mill_language import parse

MILL = Path(sys.executable).with_name("mill")
EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.mill"))


def mill(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(MILL), *arguments], input=stdin, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda file: file.stem)
def test_every_example_survives_yaml_and_back(example: Path, tmp_path: Path) -> None:
    as_yaml = tmp_path / "resource.yaml"
    as_yaml.write_text(mill("render", str(example), "--name", "shop").stdout)
    assert yaml.safe_load(as_yaml.read_text())["metadata"] == {"name": "shop"}
    back = mill("render", str(as_yaml), "-o", "mill")
    assert (back.returncode, back.stderr) == (0, "")
    assert parse(back.stdout) == parse(example.read_bytes())


def test_validate_shows_all_problems_as_a_compiler_does(tmp_path: Path) -> None:
    file = tmp_path / "bad.mill"
    file.write_text('service "web" {\n  image = "a:1"\n  prot = 80\n  memory = "lots"\n}\n')
    done = mill("validate", str(file))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"--> {file}:3:3" in done.stderr
    assert "did you mean `port`?" in done.stderr
    assert "service.web.memory: invalid size 'lots': it does not begin with a number" in done.stderr


def test_validate_as_json_is_one_object_a_line(tmp_path: Path) -> None:
    file = tmp_path / "bad.mill"
    file.write_text('service "web" {\n  image = "a:1"\n  prot = 80\n}\n')
    done = mill("validate", "--json", str(file))
    (problem,) = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 1
    assert (problem["line"], problem["column"], problem["severity"]) == (3, 3, "error")


def test_validate_reads_standard_input() -> None:
    done = mill("validate", "-", stdin='service "web" {\n  image = "a:1"\n}\n')
    assert (done.returncode, done.stdout) == (0, "<stdin>: valid\n")


def test_a_resource_that_crosses_services_wrongly_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    service = {"name": "web", "image": "a:1", "env": {"API": "${service.api.address}"}}
    file.write_text(
        yaml.safe_dump({"apiVersion": "mill.dev/v1alpha1", "kind": "MillDeployment", "spec": {"services": [service]}})
    )
    done = mill("validate", str(file))
    assert done.returncode == 1
    assert "unknown service reference 'api'" in done.stderr
