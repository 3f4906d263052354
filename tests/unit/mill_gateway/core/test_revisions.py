"""Revisions as the gateway shows them: what changed, and what became of each."""

from typing import Any

import pytest

from mill_api.revisions import Revision
from mill_gateway.core.revisions import MOST_CHANGES, compare, view_detail, view_revisions
from mill_gateway.core.rollbacks import InvalidRevisionError, find_target, prepare
from mill_gateway.objects.deployments import project_deployment
from mill_language import render
from tests.support.gateway.objects import mill_deployment

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def service(name: str = "web", image: str = "web:1", **more: Any) -> dict[str, Any]:
    return {"name": name, "image": image, "port": 80, **more}


def spec(*services: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"services": list(services), **more}


def revision(number: int, of: dict[str, Any], **more: Any) -> Revision:
    return Revision(number, f"mill-{number}", of, created_at="2026-01-31T12:00:00Z", **more)


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str] | None:
    deployment = project_deployment(mill_deployment())
    shown, _ = view_revisions(deployment, [revision(2, after), revision(1, before)])
    return shown.changed


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (service(), service(image="web:2"), ["web: image 1 → 2"]),
        (service(image="r.example:5000/a/web:1"), service(image="r.example:5000/a/web:2"), ["web: image 1 → 2"]),
        (service(), service(image="other:1"), ["web: image web:1 → other:1"]),
        (service(image="web"), service(image="web:2"), ["web: image web → web:2"]),
        (service(), service(image=f"web:1@{A}"), ["web: image 1 → 1@sha256:aaaaaaaaaaaa"]),
        (
            service(image=f"w@{A}"),
            service(image=f"w@{B}"),
            ["web: image sha256:aaaaaaaaaaaa → sha256:bbbbbbbbbbbb"],
        ),
        (service(replicas=2), service(replicas=5), ["web: replicas 2 → 5"]),
        (service(env={"KEY": "secret"}), service(env={"KEY": "other"}), ["web: env.KEY"]),
        (service(), service(port=81), ["web: port"]),
        (service(), service(), []),
    ],
)
def test_what_changed_in_words(before: dict[str, Any], after: dict[str, Any], words: list[str]) -> None:
    assert changes(spec(before), spec(after)) == words


def test_services_and_tasks_that_come_and_go() -> None:
    before = spec(service("old"), tasks=[{"name": "weekly", "image": "web:1"}])
    after = spec(service("new"), tasks=[{"name": "weekly", "image": "web:2"}])
    assert changes(before, after) == ["new added", "old removed", "task weekly: image 1 → 2"]


def test_many_changes_are_counted() -> None:
    env = {f"A{at}": "x" for at in range(9)}
    assert changes(spec(service()), spec(service(env=env))) == ["web: env.A0, env.A1, env.A2, env.A3, env.A4, 4 more"]
    many = changes(spec(), spec(*(service(f"s{at}") for at in range(25))))
    assert many is not None
    assert (len(many), many[-1]) == (MOST_CHANGES + 1, "5 more")


def test_a_spec_of_another_release_is_shown_without_changes() -> None:
    odd = spec({"name": "Web!"})
    assert changes(odd, spec(service())) == []
    detail = view_detail(project_deployment(mill_deployment()), revision(1, odd), None, render)
    assert (detail.file, detail.spec, detail.changed) == (None, odd, None)
    assert compare(project_deployment(mill_deployment()), revision(1, odd), None) is None


def test_a_revision_is_shown_as_a_file() -> None:
    detail = view_detail(project_deployment(mill_deployment()), revision(1, spec(service())), None, render)
    assert detail.file == 'service "web" {\n  image = "web:1"\n  port  = 80\n}\n'


STATUS = {
    "rollout": {"id": "7", "startedAt": "2026-01-31T12:00:00Z"},
    "history": [
        {
            "id": "6",
            "startedAt": "2026-01-31T11:00:00Z",
            "finishedAt": "2026-01-31T11:00:04Z",
            "success": False,
            "failed": [{"seq": 2, "service": "web", "reason": "out of memory"}],
        }
    ],
}


@pytest.mark.parametrize(
    ("rollout", "result", "summary"),
    [
        ("7", None, "in progress"),
        ("7", "Succeeded", "in progress"),  # a restart of it
        ("6", "Failed", "failed: web: out of memory"),
        ("2", "Failed", "failed"),
        ("2", "Superseded", "superseded"),
        (None, "Succeeded", "succeeded"),
        (None, None, "in progress"),
    ],
)
def test_what_became_of_it(rollout: str | None, result: str | None, summary: str) -> None:
    deployment = project_deployment(mill_deployment(service(), status=STATUS))
    (shown,) = view_revisions(deployment, [revision(3, spec(service()), rollout=rollout, result=result)])
    assert (shown.summary, shown.current, shown.changed) == (summary, True, None)


ONE, TWO, THREE = (spec(service("web", f"web:{at}"), service("api", f"api:{min(at, 2)}")) for at in (1, 2, 3))
KEPT = [revision(at, of, result="Succeeded") for at, of in ((3, THREE), (2, TWO), (1, ONE))]


@pytest.mark.parametrize(
    ("number", "wanted", "target"),
    [
        *((None, None, 2), (None, "web", 2), (None, "api", 1), (None, "db", None)),
        *((1, None, 1), (1, "web", 1), (9, None, None)),
    ],
)
def test_the_revision_to_go_back_to(number: int | None, wanted: str | None, target: int | None) -> None:
    found = find_target(THREE, KEPT, number, wanted)
    assert (found.revision if found else None) == target


@pytest.mark.parametrize("wanted", [None, "web"])
def test_what_would_change_nothing_is_not_gone_back_to(wanted: str | None) -> None:
    def ordered(*images: str) -> dict[str, Any]:
        return spec(*(service(image.partition(":")[0], image) for image in images))

    reordered = ordered("api:2", "web:2")
    kept = [
        revision(at, of, result="Succeeded")
        for at, of in ((3, reordered), (2, ordered("web:2", "api:2")), (1, ordered("web:1", "api:1")))
    ]
    found = find_target(reordered, kept, None, wanted)
    assert found is not None
    assert found.revision == 1


@pytest.mark.parametrize("wanted", [None, "web"])
def test_after_a_rollback_by_digest_the_next_one_goes_further_back(wanted: str | None) -> None:
    latest, broken = spec(service("web", "web:latest"), service("api", "api:2")), spec(service("web", "web:latest"))
    kept = [
        revision(3, broken, result="Failed", digests={"web": B}),
        revision(2, latest, result="Succeeded", digests={"web": A}),
        revision(1, ONE, result="Succeeded", digests={}),
    ]
    deployed = prepare(broken, kept[1], kept, None).spec.to_wire()
    kept = [revision(4, deployed, result="Succeeded", digests={"web": A}), *kept]
    found = find_target(deployed, kept, None, wanted)
    assert found is not None
    assert found.revision == 1


def test_only_revisions_after_the_target_are_newer() -> None:
    moved = [revision(at, ONE, digests={"web": digest}) for at, digest in ((3, A), (2, B), (1, A))]
    assert [each.image for each in prepare(THREE, moved[1], moved, None).spec.services] == [f"web:1@{B}", "api:1"]
    assert [each.image for each in prepare(THREE, moved[0], moved, None).spec.services] == ["web:1", "api:1"]


@pytest.mark.parametrize(
    ("of", "message"),
    [
        (spec({"name": "Web!"}), "it is one of another release"),
        (spec(service(after=["db"])), r"service.web.after.0: unknown service"),
    ],
)
def test_a_spec_that_is_not_valid_any_more(of: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRevisionError, match=message):
        prepare(THREE, revision(1, of), [], None)
