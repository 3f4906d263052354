"""Bounds of the files of a service or task, as the operator enforces them."""

import pytest

from mill_api.constraints import MAX_FILE_BYTES, MAX_FILES
from mill_api.files import File
from mill_api.spec import MillDeploymentSpec, Service, Task
from mill_api.validation import problems
from tests.support.reconciling import ReconcilerHarness


def said(files: list[File], kind: str) -> list[str]:
    """Return what the operator says of a service or task with these files."""
    if kind == "task":
        spec = MillDeploymentSpec(tasks=[Task(name="web", image="web:1", files=files)])
    else:
        spec = MillDeploymentSpec(services=[Service(name="web", image="web:1", files=files)])
    return [f"{each.path}: {each.message}" for each in problems(spec)]


@pytest.mark.parametrize("kind", ["service", "task"])
@pytest.mark.parametrize(("letter", "bytes_"), [("x", 1), ("é", 2)])
def test_texts_of_all_files_together_are_limited(kind: str, letter: str, bytes_: int) -> None:
    small, large = File(path="/etc/small", content="ab"), MAX_FILE_BYTES // bytes_
    at_limit = File(path="/etc/large", content=letter * (large - 2 // bytes_))
    assert said([small, at_limit], kind) == []
    (problem,) = said([small, File(path="/etc/large", content=(at_limit.content or "") + letter)], kind)
    total, here = f"{MAX_FILE_BYTES + bytes_:,}", f"{MAX_FILE_BYTES + bytes_ - 2:,}"
    assert problem == (
        f"{kind}.web.file./etc/large: the files have {total} bytes, {here} of them here; the limit is 65,536"
    )


@pytest.mark.parametrize("kind", ["service", "task"])
async def test_the_number_of_files_is_limited(kind: str) -> None:
    files = [File(path=f"/etc/{index}", secret="a") for index in range(MAX_FILES)]
    assert said(files, kind) == []
    more = [{"path": f"/etc/{index}", "secret": "a"} for index in range(MAX_FILES + 1)]
    program = {"name": "web", "image": "web:1", "files": more}
    harness = ReconcilerHarness()
    harness.change(spec={f"{kind}s": [program]})
    await harness.reconcile()
    await harness.reconciler.flush()
    refused = harness.statuses[-1]["rollout"]["refused"]
    assert refused == f"{kind}s.0.files: List should have at most 50 items after validation, not 51"
    assert harness.writes == []
