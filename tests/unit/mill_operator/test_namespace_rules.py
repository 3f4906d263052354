"""What the annotations of a Namespace permit."""

import pytest

from mill_operator.core.routes.namespace_rules import MAX_ENTRIES, NO_RULES, read_rules

HOSTS = "mill.dev/allowed-hosts"
SHARED = "mill.dev/shared-routes"


@pytest.mark.parametrize(
    ("annotation", "host", "is_allowed"),
    [
        ("shop.example.com", "shop.example.com", True),
        ("shop.example.com", "www.shop.example.com", False),
        ("shop.example.com", "example.com", False),
        ("shop.example.com", "shop.example.com.evil.net", False),
        ("Shop.Example.COM", "shop.example.com", True),
        (" a.example.com ,\n b.example.com,", "b.example.com", True),
        ("*.shop.example.com", "www.shop.example.com", True),
        ("*.shop.example.com", "a.b.shop.example.com", True),
        ("*.shop.example.com", "*.shop.example.com", True),
        ("*.shop.example.com", "*.eu.shop.example.com", True),
        ("*.shop.example.com", "shop.example.com", False),
        ("*.shop.example.com", "*.example.com", False),
        ("*.shop.example.com", "workshop.example.com", False),
        ("*.shop.example.com", "evilshop.example.com", False),
        ("a.example.com, *.b.example.com", "x.b.example.com", True),
        ("*", "anything.example.net", True),
        ("*", "*.example.net", True),
        ("", "shop.example.com", False),
        (" , ", "shop.example.com", False),
        ("*.com", "example.com", True),
    ],
)
def test_hosts_are_those_that_the_list_names_and_those_below_a_wildcard(
    annotation: str, host: str, is_allowed: bool
) -> None:
    rules = read_rules({HOSTS: annotation})
    assert rules.problem == ""
    assert rules.allows(host) is is_allowed


def test_without_the_annotation_every_host_is_allowed() -> None:
    assert read_rules({}) == NO_RULES
    assert read_rules({"other": "x"}).allows("shop.example.com")


@pytest.mark.parametrize(
    ("annotation", "problem"),
    [
        ("shop.example.com; other.example.com", "its entry 1 is not a host name"),
        ("shop.example.com, https://other.example.com", "its entry 2 is not a host name"),
        ("shop.example.com.", "its entry 1 is not a host name"),
        ("a.*.example.com", "its entry 1 is not a host name"),
        ("**.example.com", "its entry 1 is not a host name"),
        (f"{'a.' * 200}example.com", "its entry 1 is not a host name"),
        ("a.example.com," * (MAX_ENTRIES + 1), "it has more than 1000 entries"),
        ("bücher.example", "its entry 1 is not a host name"),
    ],
)
def test_a_list_that_cannot_be_read_allows_nothing(annotation: str, problem: str) -> None:
    rules = read_rules({HOSTS: annotation})
    assert rules.problem == problem
    assert not rules.allows("shop.example.com")
    assert not rules.allows("a.example.com")


@pytest.mark.parametrize(("value", "shares"), [("true", True), ("false", False), ("", False), ("True", False)])
def test_only_true_shares_routes(value: str, shares: bool) -> None:
    assert read_rules({SHARED: value}).shares_routes is shares
