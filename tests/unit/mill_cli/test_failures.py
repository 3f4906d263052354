"""What is known of failures, and which of them have the same cause."""

from typing import Any

import pytest

from mill_cli.output.failures import Failure, detail_lines, group_failures, read_failure

REASON = "image pull failed: tag not found"


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        ({}, Failure("unknown")),
        ({"reason": "a\nb\x1b"}, Failure("a b�")),
        ({"reason": REASON, "detail": "image web:9"}, Failure(REASON, "image web:9")),
        ({"reason": REASON, "detail": "tag not found"}, Failure(REASON)),
        ({"reason": "x", "evidence": "a\nb  \n\n"}, Failure("x", "b", ("a", "b"))),
        ({"reason": "x", "evidence": "\n".join("abcdefghijkl")}, Failure("x", "l", tuple("cdefghijkl"))),
        ({"reason": "x", "suggestion": "do\nit", "code": "Code"}, Failure("x", suggestion="do it", code="Code")),
        ({"reason": "x", "suggestion": 5, "code": None, "detail": ["y"]}, Failure("x")),
    ],
)
def test_a_failure_is_what_its_event_says(data: dict[str, Any], failure: Failure) -> None:
    assert read_failure(data) == failure


def test_details_have_labels() -> None:
    assert list(detail_lines(Failure("x", evidence=("a", ""), suggestion="Do it.", code="Code"))) == [
        ("|", "a"),
        ("|", ""),
        ("help:", "Do it."),
        ("code:", "Code (`mill explain Code`)"),
    ]


def test_failures_are_grouped_by_reason_and_code() -> None:
    found = group_failures(
        [
            ("web", Failure(REASON, code="TagNotFound")),
            ("api", Failure("container exited with code 1")),
            ("db", Failure(REASON, code="TagNotFound")),
            ("old", Failure(REASON)),
        ]
    )
    assert [(each.services, each.reason) for each in found] == [
        (("web", "db"), REASON),
        (("api",), "container exited with code 1"),
        (("old",), REASON),
    ]


@pytest.mark.parametrize(
    ("failures", "causes", "evidence"),
    [
        ([Failure("x"), Failure("x")], [], ()),
        ([Failure("x", "b", ("a", "b")), Failure("x", "b", ("a", "b"))], [], ("a", "b")),
        ([Failure("x", "b", ("a", "b")), Failure("x", "b", ("c", "b"))], [], ("b",)),
        ([Failure("x", "a"), Failure("x", "b")], [("web", "a"), ("api", "b")], ()),
        ([Failure("x", "a", ("a",)), Failure("x")], [("web", "a"), ("api", "")], ()),
    ],
)
def test_what_matters_is_shown_once_if_it_is_the_same(
    failures: list[Failure], causes: list[tuple[str, str]], evidence: tuple[str, ...]
) -> None:
    (group,) = group_failures(zip(("web", "api"), failures, strict=True))
    assert (list(group.causes), group.details.evidence) == (causes, evidence)


@pytest.mark.parametrize(
    ("suggestions", "shown"),
    [
        (("Push the tag.", "Push the tag."), "Push the tag."),
        (("Read all of its output: mill logs web", "Read all of its output: mill logs api"), "… mill logs SERVICE"),
        (("mill logs web. If", "mill logs api. If"), "mill logs SERVICE. If"),
        (("Check node a.", "Check node b."), "Check node a."),
        (("mill logs web-1", "mill logs api-1"), "mill logs web-1"),
    ],
)
def test_a_suggestion_names_no_service_of_several(suggestions: tuple[str, str], shown: str) -> None:
    failures = [Failure("x", suggestion=each) for each in suggestions]
    (group,) = group_failures(zip(("web", "api"), failures, strict=True))
    assert group.details.suggestion.replace("Read all of its output:", "…") == shown
    (alone,) = group_failures([("web", failures[0])])
    assert alone.details.suggestion == suggestions[0]
