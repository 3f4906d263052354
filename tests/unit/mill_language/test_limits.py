"""The limits of the text of one MillDeployment, in a file or as a resource."""

from pathlib import Path
from typing import Any

import pytest

from mill_api.reference_rules import MAX_REFERENCES
from mill_api.spec import MillDeploymentSpec
from mill_api.validation import MAX_TEXT_BYTES, problems
from mill_cli import files

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("**/*.mill"))


def said(*services: dict[str, Any], tasks: tuple[dict[str, Any], ...] = ()) -> list[str]:
    common = {"image": "x"}
    spec = {"services": [common | each for each in services], "tasks": [common | each for each in tasks]}
    return [str(each) for each in problems(MillDeploymentSpec.model_validate(spec))]


def full(bytes_: int) -> dict[str, str]:
    """Return an environment of the given number of bytes, including names."""
    names = [f"V{number:03}" for number in range(-(-bytes_ // 30_000))]
    left = bytes_ - 4 * len(names)
    return {name: "x" * (left // len(names) + (left % len(names) if name == "V000" else 0)) for name in names}


def test_a_spec_at_the_limit_is_accepted() -> None:
    assert said({"name": "a", "env": full(MAX_TEXT_BYTES - 1)}, {"name": "b", "command": ["x"]}) == []


def test_one_byte_too_many_is_reported_at_the_largest() -> None:
    (problem,) = said({"name": "a", "env": full(MAX_TEXT_BYTES - 1)}, {"name": "b", "command": ["xy"]})
    assert problem == (
        "service.a: the environments, commands, arguments and files of all services and tasks have 524,289 bytes, "
        "524,287 of them here; the limit is 524,288"
    )


def test_bytes_of_names_commands_and_tasks_count() -> None:
    most = MAX_TEXT_BYTES - 100
    assert said({"name": "a", "env": full(most) | {"N" * 101: ""}})
    assert said({"name": "a", "env": full(most)}, tasks=({"name": "t", "command": ["é" * 51]},))
    assert not said({"name": "a", "env": full(most)}, tasks=({"name": "t", "command": ["é" * 50]},))


def test_the_references_of_one_service_or_task_are_limited() -> None:
    many = {f"A{number}": "${secret(a)}" * 500 for number in range(2)}
    assert said({"name": "a", "env": many}, {"name": "b", "env": many}) == []
    more = many | {"B": "$${x} ${secret(a)}"}
    assert said({"name": "a", "env": more}, tasks=({"name": "t", "env": more},)) == [
        f"service.a: its environment has 1,001 references, more than {MAX_REFERENCES:,}",
        f"task.t: its environment has 1,001 references, more than {MAX_REFERENCES:,}",
    ]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_the_examples_are_far_below_the_limits(file: Path) -> None:
    spec = files.read(file).spec()
    texts = [text for each in (*spec.services, *spec.tasks) for text in (*each.env, *each.env.values())]
    assert sum(map(len, texts)) < MAX_TEXT_BYTES / 20
    assert sum(text.count("${") for text in texts) < MAX_REFERENCES / 10
