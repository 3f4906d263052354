"""Revisions: their objects, and what is read of objects that anyone may have written."""

import json
from typing import Any

import pytest

from mill_api import names
from mill_api.owner import Owner
from mill_api.revisions import (
    ANNOTATION_DIGESTS,
    ANNOTATION_RESULT,
    ANNOTATION_ROLLOUT,
    ANNOTATION_TASKS,
    LARGEST,
    LONGEST_ANNOTATION,
    LONGEST_TEXT,
    Asked,
    Revision,
    asked_annotation,
    new_revision,
    read_asked,
    read_revision,
    recorded_asked,
    recorded_result,
    spec_digest,
)
from mill_objects.key import Key

OWNER = Owner(Key("shop", "mill"), "u-1")
SPEC: dict[str, Any] = {"services": [{"name": "web", "image": "web:1", "port": 80}]}
OTHER: dict[str, Any] = {"services": [{"name": "web", "image": "web:2", "port": 80}]}
CREATED = "2026-01-31T12:00:00Z"


def stored(annotations: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    """Return the object of a revision as the API server has it, with other top-level fields."""
    body = new_revision(OWNER, 3, SPEC, annotations or {})
    body["metadata"] |= {"creationTimestamp": CREATED, "uid": "r-1", "resourceVersion": "5"}
    return body | changes


def read(annotations: dict[str, str]) -> Revision:
    found = read_revision(stored(annotations), "u-1")
    assert found is not None
    return found


def test_everything_that_is_written_is_read() -> None:
    found = read(
        {
            ANNOTATION_ROLLOUT: "7",
            names.ANNOTATION_ASKED: recorded_asked(Asked("alice", verified=True, source="shop.mill", rollback=2)),
            ANNOTATION_RESULT: recorded_result("Succeeded", CREATED),
            ANNOTATION_DIGESTS: json.dumps({"web": "sha256:12"}),
            ANNOTATION_TASKS: json.dumps({"migrate": "ab12"}),
        }
    )
    asked = Asked("alice", verified=True, source="shop.mill", rollback=2)
    record = ("Succeeded", CREATED, {"web": "sha256:12"}, {"migrate": "ab12"})
    assert found == Revision(3, "mill-3", SPEC, CREATED, "7", asked, *record)


def test_a_new_revision_knows_nothing() -> None:
    assert read({}) == Revision(3, "mill-3", SPEC, CREATED)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        stored(revision=0),
        stored(revision=4),  # the name is that of another one, so that two would have the same number
        new_revision(OWNER, LARGEST + 1, SPEC, {}),
        stored(revision="x"),
        stored(data=None),
        stored(data={"spec": [1]}),
        stored(metadata={"name": "mill-3"}),
        stored(metadata={"name": "mill-3", "ownerReferences": [{"uid": "u-1", "name": "mill"}]}),
        stored(metadata={"name": "mill-3", "ownerReferences": [{"uid": "u-2", "name": "mill", "controller": True}]}),
        stored(metadata={"ownerReferences": [{"uid": "u-1", "name": "mill", "controller": True}]}),
    ],
)
def test_what_is_no_revision_of_this_deployment(body: object) -> None:
    assert read_revision(body, "u-1") is None


def test_nothing_is_owned_by_no_uid() -> None:
    assert (
        read_revision(
            stored(metadata={"name": "a-3", "ownerReferences": [{"uid": "", "name": "a", "controller": True}]}), ""
        )
        is None
    )


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "5", "null", '{"by": 5}', "[" * 5000, "{" + " " * LONGEST_ANNOTATION + "}"]
)
def test_odd_annotations_say_nothing(text: str) -> None:
    keys = (names.ANNOTATION_ASKED, ANNOTATION_RESULT, ANNOTATION_DIGESTS, ANNOTATION_TASKS)
    found = read(dict.fromkeys(keys, text))
    assert (found.asked, found.result, found.tasks) == (Asked(), None, {})


def test_texts_are_cut_and_printable() -> None:
    asked = json.dumps({"by": "a\x1b[31m\nb" + "x" * 500, "verified": True, "file": "\u202e", "rollback": -1})
    by = read({names.ANNOTATION_ASKED: asked}).asked.by
    assert by is not None
    assert (by[:5], len(by.encode()), by.isprintable()) == ("a bxx", LONGEST_TEXT, True)
    assert read({names.ANNOTATION_ASKED: asked}).asked == Asked(by, verified=True)
    assert read({ANNOTATION_RESULT: '{"result": "Exploded", "finishedAt": "x"}'}).result is None


def test_a_digest_is_that_of_what_the_spec_means() -> None:
    written_out = {"services": [{"port": 80, "memory": "256M", "image": "web:1", "name": "web"}], "tasks": []}
    assert spec_digest(SPEC) == spec_digest(written_out)
    assert spec_digest(SPEC) != spec_digest(OTHER)
    assert spec_digest({"services": 5}) != spec_digest({"services": 6})


def test_who_asked_is_verified_for_that_spec_alone() -> None:
    text = asked_annotation("alice", SPEC, source="shop.mill", rollback=2)
    annotations = {names.ANNOTATION_ASKED: text}
    assert read_asked(annotations, SPEC) == Asked("alice", verified=True, source="shop.mill", rollback=2)
    assert read_asked(annotations, OTHER) == Asked("alice")
    assert read_asked({}, SPEC) is None
    assert read_asked({names.ANNOTATION_ASKED: "{}"}, SPEC) is None
