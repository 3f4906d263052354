"""The example applications: each is a file without a warning, in the layout of `mill fmt`, and can be read back."""

import re
from pathlib import Path

import pytest

from mill_api.spec import MillDeploymentSpec
from mill_api.validation import problems
from mill_language import parse, render
from mill_language.formatter import format_file
from tests.support.example_apps import APPS, FOLDER, read

LINK = re.compile(r"\]\(([\w-]+)\.mill\)")

each_app = pytest.mark.parametrize("file", APPS, ids=lambda file: file.stem)


@each_app
def test_an_example_has_no_problem_and_no_warning(file: Path) -> None:
    parsed = read(file)
    assert parsed.warnings == ()
    assert problems(parsed.spec) == []
    assert parsed.spec.services


@each_app
def test_an_example_is_the_same_as_a_resource_and_as_a_rendered_file(file: Path) -> None:
    spec = read(file).spec
    resource = spec.to_resource({"name": file.stem})
    assert MillDeploymentSpec.model_validate(resource["spec"]) == spec
    assert parse(render(spec)) == spec


@each_app
def test_an_example_is_formatted_and_begins_with_what_it_is(file: Path) -> None:
    text = file.read_bytes()
    assert format_file(text, filename=file.name) == text
    assert text.startswith(b"# ")


def test_every_file_beside_the_examples_belongs_to_one_of_them() -> None:
    texts = "".join(file.read_text() for file in APPS)
    beside = [each for each in FOLDER.rglob("*") if each.is_file() and each.parent != FOLDER]
    assert [each.name for each in beside if f'"{each.relative_to(FOLDER).as_posix()}"' not in texts] == []


def test_the_page_lists_every_example_once() -> None:
    listed = LINK.findall((FOLDER / "README.md").read_text())
    assert sorted(listed) == [file.stem for file in APPS]
