"""What revisions say of tasks: tables."""

from typing import Any

import pytest

from mill_api.revisions import Asked, Revision
from mill_api.task_records import goes_back, has_succeeded
from mill_api.versions import version_in_rollout

A, B = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


def spec(migrate: str, before: tuple[str, ...] = ("web", "worker"), **services: str) -> dict[str, Any]:
    tasks = [{"name": "migrate", "image": migrate, "before": list(before)}] if migrate else []
    return {"services": [{"name": name, "image": image} for name, image in services.items()], "tasks": tasks}


def kept(number: int, of: dict[str, Any], *, succeeded: bool = True, **fields: Any) -> Revision:
    version = (
        version_in_rollout(of["tasks"][0], {each["name"]: each for each in of["services"]}) if of["tasks"] else None
    )
    tasks = {"migrate": version.version} if version and succeeded else {}
    return Revision(number, f"mill-{number}", of, tasks=tasks, **fields)


ONE = kept(1, spec("m:1", web="web:1", worker="worker:1"), digests={"web": A})
TWO = kept(2, spec("m:2", web="web:2", worker="worker:2"))
NONE = kept(1, spec("", web="web:1", worker="worker:1"))
FAILED = kept(1, spec("m:1", web="web:1", worker="worker:1"), succeeded=False)
ALONE = kept(1, spec("m:1", ("worker",), web="web:1", worker="worker:1"), succeeded=False)


@pytest.mark.parametrize(
    ("wanted", "revisions", "in_a_deploy", "in_a_rollback"),
    [
        (ONE.spec, [ONE, TWO], True, True),
        (spec("m:1", web=f"web:1@{A}", worker="worker:1"), [ONE], True, True),  # a tag that has moved
        (spec("m:1", web=f"web:1@{B}", worker="worker:1"), [ONE], False, False),
        (spec("m:2", web="web:1", worker="worker:2"), [ONE, TWO], False, True),  # one service goes back
        (spec("m:2", web=f"web:1@{A}", worker="worker:2"), [ONE, TWO], False, True),
        (spec("m:2", web="web:3", worker="worker:2"), [ONE, TWO], False, False),  # one that never ran
        (spec("m:3", web="web:1", worker="worker:2"), [ONE, TWO], False, False),
        (spec("m:2", web="web:1", worker="worker:2"), [NONE, TWO], False, True),  # to before there was the task
        (spec("m:2", web="web:1", worker="worker:2"), [ALONE, TWO], False, True),  # or before it came before it
        (spec("m:2", web="web:1", worker="worker:2"), [FAILED, TWO], False, False),
        (FAILED.spec, [FAILED, TWO], False, False),  # what has failed is tried again
        (spec("", web="web:1"), [ONE], False, False),
        ({"services": 5, "tasks": [{"name": "migrate", "before": 5}]}, [ONE], False, False),
        (
            {
                "services": [{"name": "web", "files": [5]}],
                "tasks": [{"name": "migrate", "before": ["web"], "files": 5}],
            },
            [Revision(1, "mill-1", {"tasks": [{"name": "migrate", "before": 5, "after": [5]}]})],
            False,
            False,
        ),
        (ONE.spec, [Revision(1, "mill-1", {"tasks": "odd"}, tasks={"migrate": "other"})], False, False),
        (ONE.spec, [], False, False),
    ],
)
def test_whether_a_task_needs_no_run(
    wanted: dict[str, Any], revisions: list[Revision], in_a_deploy: bool, in_a_rollback: bool
) -> None:
    assert has_succeeded("migrate", wanted, revisions, is_rollback=False) is in_a_deploy
    assert has_succeeded("migrate", wanted, revisions, is_rollback=True) is in_a_rollback


@pytest.mark.parametrize(
    ("asked", "is_rollback"),
    [(Asked("alice", verified=True, rollback=1), True), (Asked("alice", verified=True), False), (Asked(), False)],
)
def test_which_spec_goes_back(asked: Asked, is_rollback: bool) -> None:
    newest = kept(3, ONE.spec, asked=asked)
    assert goes_back(ONE.spec, [newest, TWO]) is is_rollback
    assert not goes_back(TWO.spec, [newest, TWO]), "another spec than the newest"
    assert not goes_back(ONE.spec, [])
