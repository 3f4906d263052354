"""Going back: which revision, which spec, and what does not go back."""

from dataclasses import replace
from typing import Any

import pytest

from mill_api.revisions import Asked, Revision
from mill_api.rollback import default_target, rollback_spec
from mill_api.versions import version_in_rollout

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
MIGRATE = {"name": "migrate", "image": "web:1", "before": ["web"]}


def service(name: str, image: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": image, "port": 80, **more}


def spec(*services: dict[str, Any], tasks: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"services": list(services)} | ({"tasks": list(tasks)} if tasks else {})


def revision(number: int, of: dict[str, Any], **more: Any) -> Revision:
    return Revision(number, f"mill-{number}", of, **more)


ONE, TWO, THREE = (spec(service("web", f"web:{at}")) for at in (1, 2, 3))


@pytest.mark.parametrize(
    ("current", "results", "target"),
    [
        (THREE, ("Succeeded", "Succeeded", None), 2),
        (THREE, ("Succeeded", "Failed", "Failed"), 1),
        (THREE, ("Succeeded", "Superseded", "Succeeded"), 1),
        (THREE, ("Failed", None, "Succeeded"), None),
        (TWO, ("Succeeded", "Succeeded", "Succeeded"), 3),
    ],
)
def test_the_last_that_succeeded_and_is_another(
    current: dict[str, Any], results: tuple[str | None, ...], target: int | None
) -> None:
    kept = [revision(at, of, result=found) for at, of, found in zip((1, 2, 3), (ONE, TWO, THREE), results, strict=True)]
    found = default_target(current, kept)
    assert (found.revision if found else None) == target


def test_a_rollback_of_a_rollback_brings_back_what_was_before() -> None:
    kept = [revision(1, ONE, result="Succeeded"), revision(2, TWO, result="Succeeded")]
    kept.append(revision(3, ONE, result="Succeeded"))
    found = default_target(ONE, kept)
    assert found is not None
    assert rollback_spec(ONE, found, kept[2:]) == (TWO, [])


def test_everything_goes_back() -> None:
    target = spec(service("web", "web:1"), service("old", "old:1"), tasks=(MIGRATE,))
    assert rollback_spec(spec(service("new", "new:1")), revision(1, target), []) == (target, [])


def test_a_service_goes_back_alone() -> None:
    current = spec(service("api", "api:2"), service("web", "web:2"), tasks=(MIGRATE,))
    target = revision(1, spec(service("web", "web:1"), service("api", "api:1"), service("old", "old:1")))
    back, _ = rollback_spec(current, target, [], ["web"])
    assert back == spec(service("api", "api:2"), service("web", "web:1"), tasks=(MIGRATE,))
    back, _ = rollback_spec(current, target, [], ["old"])
    assert [each["image"] for each in back["services"]] == ["api:2", "web:2", "old:1"]


@pytest.mark.parametrize(
    ("image", "then", "later_image", "later", "expected"),
    [
        ("web:latest", A, "web:latest", B, f"web:latest@{A}"),
        ("web:latest", A, "web:latest", A, "web:latest"),
        ("web:latest", A, "web:other", B, "web:latest"),
        ("web:latest", A, "web:latest", None, "web:latest"),
        ("web:latest", None, "web:latest", B, "web:latest"),
        (f"web:1@{A}", A, f"web:1@{A}", B, f"web:1@{A}"),
    ],
)
def test_only_a_tag_that_has_moved_is_pinned(
    image: str, then: str | None, later_image: str, later: str | None, expected: str
) -> None:
    task = {"name": "weekly", "image": image}
    target = revision(1, spec(service("web", image), tasks=(task,)), digests={"web": then} if then else {})
    newer = revision(2, spec(service("web", later_image)), digests={"web": later} if later else {})
    back, _ = rollback_spec(newer.spec, target, [newer])
    assert [back["services"][0]["image"], back["tasks"][0]["image"]] == [expected, expected]
    assert target.spec["services"][0]["image"] == image, "the revision is as it was"


def ran(number: int, of: dict[str, Any], *tasks: str) -> Revision:
    """Return a revision in which tasks have succeeded."""
    services = {each["name"]: each for each in of["services"]}
    of_tasks = {each["name"]: each for each in of["tasks"]}
    found = {name: version_in_rollout(of_tasks[name], services) for name in tasks}
    return revision(number, of, tasks={name: each.version for name, each in found.items() if each})


def test_tasks_that_have_run_since_are_named() -> None:
    later = {"name": "later", "image": "a", "after": ["web"]}
    one, two = (spec(service("web", f"web:{at}"), tasks=(MIGRATE, later)) for at in (1, 2))
    target = ran(1, one, "migrate")
    newer = [ran(2, two, "migrate", "later"), ran(3, one, "migrate")]
    note = "task migrate has run since revision 1: what it did stays, and it does not run again"
    assert rollback_spec(two, target, newer)[1] == [note]
    assert rollback_spec(two, target, newer, ["web"])[1] == [note]
    assert rollback_spec(two, target, newer, ["api"])[1] == []
    assert rollback_spec(two, target, newer[1:])[1] == [], "the same version"
    again = note.replace("does not run again", "runs again, for a version that has not succeeded")
    assert rollback_spec(two, ran(1, one), newer[:1])[1] == [again], "its migration had failed"
    assert rollback_spec(two, revision(1, ONE), newer[:1])[1] == [note], "it had none"
    assert rollback_spec(two, revision(1, ONE), newer[:1], ["web"])[1] == [note]


def test_what_tasks_have_done_before_the_target_counts_whichever_revision_says_it() -> None:
    """A rollout that was superseded notes none of them, and neither does one whose tasks had succeeded before."""
    one, two = (spec(service("web", f"web:{at}"), tasks=(MIGRATE,)) for at in (1, 2))
    target = revision(2, one)
    note = "task migrate has run since revision 2: what it did stays, and it does not run again"
    older, newer = [ran(1, one, "migrate")], [ran(3, two, "migrate")]
    for services in (None, ["web"]):
        assert rollback_spec(two, target, newer, services, older)[1] == [note]
    assert rollback_spec(two, target, [ran(3, one, "migrate")], None, older)[1] == [], "the same version"


def test_a_task_that_a_rollback_did_not_run_has_not_run_since() -> None:
    """The version of a rollback has another text, if a tag has moved, and is noted as one that has succeeded."""
    spec_of = {n: spec(service("web", "web:1", env={"N": n}), tasks=(MIGRATE,)) for n in "12"}
    first = replace(ran(1, spec_of["1"], "migrate"), digests={"web": A})
    second = replace(ran(2, spec_of["2"], "migrate"), digests={"web": B})
    pinned = spec(service("web", f"web:1@{A}", env={"N": "1"}), tasks=({**MIGRATE, "image": f"web:1@{A}"},))
    back = replace(ran(3, pinned, "migrate"), asked=Asked("alice", verified=True, rollback=1))
    assert rollback_spec(pinned, second, [back], None, [first])[1] == []


def test_secrets_and_volumes_stay_as_they_are() -> None:
    web = service(
        "web",
        "web:1",
        env={"A": "x${secret(db.url)}y", "B": "$${secret(no)}", "C": "${broken"},
        args=["${secret(key)}", "in a ${secret(word)}", 5],
        files=[{"path": "/a", "secret": "cert"}, 5],
        volumes=[{"name": "data", "path": "/data"}, {"name": "tmp", "path": "/tmp", "ephemeral": True}],
    )
    _, notes = rollback_spec(spec(service("web", "web:2")), revision(1, spec(web)), [])
    assert notes == [
        "secrets have their present values: db.url, key, word, cert",
        "volumes keep the data that they have: data",
    ]


@pytest.mark.parametrize("odd", [{}, {"services": 5}, {"services": [5, {"image": 5}, {"name": "web"}], "tasks": "x"}])
def test_odd_specs_go_back_as_they_are(odd: dict[str, Any]) -> None:
    for services in (None, ["web"]):
        rollback_spec(odd, revision(1, odd), [revision(2, odd, digests={"web": A}, tasks={"a": "b"})], services)
