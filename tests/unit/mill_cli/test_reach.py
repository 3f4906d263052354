"""Which pod a command is about, and what kubectl's errors become."""

from typing import Any

import pytest

from mill_cli.errors import CliError
from mill_cli.options import Options
from mill_cli.reach.browser import is_openable
from mill_cli.reach.kubectl import hints, line_of
from mill_cli.reach.pods import ReachableService, find_service, next_pod
from mill_cli.services import project_services

WEB = {"name": "web", "namespace": "shop", "port": 8080}


def found_service(services: list[Any], name: str) -> ReachableService:
    return find_service(project_services(services), name)


def pods(*found: tuple[str, str, bool | None]) -> dict[str, Any]:
    """A service with pods of these names and statuses, of the current version or not."""
    current = [{} if each[2] is None else {"current": each[2]} for each in found]
    return {
        **WEB,
        "allocations": [{"id": n, "status": s, **more} for (n, s, _), more in zip(found, current, strict=True)],
    }


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], ()),
        ([("a", "failed", True), ("b", "stopped", True), ("c", "pulling", True), ("d", "starting", True)], ()),
        (
            [("a", "running", True), ("b", "healthy", False), ("d", "healthy", True), ("c", "healthy", True)],
            tuple("cdba"),
        ),
        ([("b", "healthy", None), ("a", "healthy", None)], ("a", "b")),  # an older gateway says nothing of versions
    ],
)
def test_ready_pods_of_the_current_version_come_first(found: Any, expected: tuple[str, ...]) -> None:
    assert found_service([pods(*found)], "web").pods == expected


def test_of_two_services_of_one_name_the_one_with_pods_is_meant() -> None:
    """The second deployment that has the name gets no pods: `NameTaken`."""
    taken = {**pods(), "namespace": "shop", "message": "the name is taken"}
    found = found_service([taken, pods(("a", "healthy", True))], "web")
    assert (found.pods, found.why) == (("a",), "")


@pytest.mark.parametrize(
    "services",
    [
        [{**WEB, "allocations": None}],
        [{**WEB, "allocations": ["odd", None, {"status": "healthy"}][:2]}],
        [{**WEB, "port": "8080", "routes": [None, {}], "message": None}, None, 5],
    ],
)
def test_odd_answers_are_read_as_far_as_possible(services: list[Any]) -> None:
    assert found_service(services, "web").pods == ()


def test_a_long_hostile_cause_is_cut_and_printable() -> None:
    found = found_service([{**WEB, "message": "a\x1b[31m" + "x" * 5000}], "web")
    assert len(found.why) == 300
    assert found.why.isprintable()


@pytest.mark.parametrize("name", ["-a", "A", "a/b", "a b", "", "a" * 254, None, 5])
def test_names_that_are_none_are_refused(name: Any) -> None:
    with pytest.raises(CliError, match="no name of Kubernetes"):
        found_service([{**WEB, "namespace": name}], "web")


@pytest.mark.parametrize(
    ("found", "may_return", "expected"),
    [("ab", False, "b"), ("ab", True, "b"), ("a", False, None), ("a", True, "a"), ("", True, None), ("cb", False, "b")],
)
def test_another_pod_than_the_lost_one(found: str, may_return: bool, expected: str | None) -> None:
    service = found_service([pods(*((each, "healthy", True) for each in found))], "web")
    assert next_pod(service, "a", may_return=may_return) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("error: lost connection to pod\n", "lost connection to pod"),
        ("E1128 17:40:00.1    41 portforward.go:409] an error occurred: a] b\n", "an error occurred: a] b"),
        ("Error from server (Forbidden): no\x1b[2J\n", "Error from server (Forbidden): no\N{REPLACEMENT CHARACTER}[2J"),
        ("E1 is no log line", "E1 is no log line"),
        ("x" * 9000, "x" * 300),
        ("\n", ""),
    ],
)
def test_a_line_of_kubectl(line: str, expected: str) -> None:
    assert line_of(line) == expected


@pytest.mark.parametrize(
    ("problem", "context", "hint"),
    [
        ("pods is forbidden: User may not create pods/portforward", None, "your own rights"),
        ('pods "web" not found', None, "choose one with --context"),
        ('pods "web" not found', "prod", "the context prod is the cluster"),
        ("dial tcp 127.0.0.1:6443: connect: connection refused", None, "--context"),
        ("lost connection to pod", None, ""),
    ],
)
def test_what_to_do_about_an_error_of_kubectl(problem: str, context: str | None, hint: str) -> None:
    found = hints(problem, Options(context=context))
    assert hint in "".join(found)
    assert bool(found) == bool(hint)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://shop.example.com/", True),
        ("https://shop.example.com/a?b", True),
        ("http://*.example.com/", False),
        ("file:///etc/passwd", False),
        ("javascript:alert(1)", False),
        ("http://", False),
        ("http://[::1", False),
        ("http://a\x1b[31m/", False),
    ],
)
def test_what_a_browser_may_open(url: str, expected: bool) -> None:
    assert is_openable(url) == expected
