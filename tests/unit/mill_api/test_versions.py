"""What makes another version of a task in a rollout, and what does not."""

from typing import Any

import pytest

from mill_api.versions import version_of

TASK: dict[str, Any] = {"name": "migrate", "image": "web:1", "args": ["migrate"], "before": ["web"]}
WEB: dict[str, Any] = {"name": "web", "image": "web:1", "port": 80, "env": {"A": "1", "B": "2"}}
SEED = version_of(TASK, {"web": WEB})


@pytest.mark.parametrize(
    ("of_task", "of_web"),
    [
        ({"image": "web:2"}, {}),
        ({"args": ["migrate", "--all"]}, {}),
        ({"command": ["migrate"]}, {}),
        ({"env": {"A": "1"}}, {}),
        ({"files": [{"path": "/a", "content": "b"}]}, {}),
        ({}, {"image": "web:2"}),
        ({}, {"args": ["serve"]}),
        ({}, {"command": ["serve"]}),
        ({}, {"env": {"A": "1", "B": "3"}}),
        ({}, {"files": [{"path": "/a", "secret": "b"}]}),
    ],
)
def test_another_program_is_another_version(of_task: dict[str, Any], of_web: dict[str, Any]) -> None:
    assert version_of({**TASK, **of_task}, {"web": {**WEB, **of_web}}) != SEED


@pytest.mark.parametrize(
    ("of_task", "of_web"),
    [
        ({"timeout": "2h", "cpu": "1", "memory": "1G"}, {}),
        ({"before": ["web"], "stop": "1m"}, {}),
        ({"env": {}, "files": [], "command": None}, {}),
        ({}, {"replicas": 3, "port": 8080, "routes": [{"host": "a.example"}], "cpu": "2"}),
        ({}, {"env": {"B": "2", "A": "1"}}),
        ({}, {"health": {"path": "/"}, "update": {"settle": "1s"}, "user": 1000, "place": {"arch": "arm64"}}),
    ],
)
def test_everything_else_is_not(of_task: dict[str, Any], of_web: dict[str, Any]) -> None:
    assert version_of({**TASK, **of_task}, {"web": {**WEB, **of_web}}) == SEED


def test_each_service_that_a_task_precedes_counts_under_its_name() -> None:
    assert version_of(TASK, {"web": WEB, "worker": WEB}) != SEED
    assert version_of(TASK, {"worker": WEB}) != SEED
    assert version_of(TASK, {"a": WEB, "b": TASK}) == version_of(TASK, {"b": TASK, "a": WEB})
    assert version_of(TASK, {"a": TASK, "b": WEB}) != version_of(TASK, {"a": WEB, "b": TASK})


def test_the_order_of_files_makes_no_difference_and_their_mode_does() -> None:
    one, two = {"path": "/a", "content": "a"}, {"path": "/b", "content": "b"}
    first = version_of({**TASK, "files": [one, two]}, {})
    assert version_of({**TASK, "files": [two, one]}, {}) == first
    assert version_of({**TASK, "files": [{**one, "mode": "0600"}, two]}, {}) != first


def test_a_version_is_the_same_in_every_release() -> None:
    assert SEED == "a42acbad03c0825a"
