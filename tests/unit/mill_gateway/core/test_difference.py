"""What a deploy would change."""

import pytest

from mill_gateway.core.difference import Difference, difference
from mill_language import parse

BEFORE = """
service "web" {
  image    = "web:1"
  port     = 8080
  replicas = 2
  env      = { LEVEL = "info", OLD = "x" }
  route "www.example.com" {
    path = "/"
  }
  volume "cache" {
    path      = "/cache"
    ephemeral = true
  }
}
service "old" {
  image = "old:1"
}
task "migrate" {
  image = "web:1"
}
"""


def _difference(after: str, before: str | None = BEFORE) -> Difference:
    return difference(None if before is None else parse(before.encode()), parse(after.encode()))


def _fields(found: Difference) -> dict[str, tuple[object, object]]:
    return {each.path: (each.before, each.after) for each in found.services[0].fields}


def test_the_same_file_changes_nothing() -> None:
    found = _difference(BEFORE)
    assert found.changed is False
    assert {each.change for each in (*found.services, *found.tasks)} == {"unchanged"}


def test_a_first_deploy_adds_everything() -> None:
    found = _difference(BEFORE, before=None)
    assert found.changed is True
    assert [(each.name, each.change) for each in (*found.services, *found.tasks)] == [
        ("web", "added"),
        ("old", "added"),
        ("migrate", "added"),
    ]


def test_removed_services_come_last() -> None:
    found = _difference('service "new" {\n  image = "new:1"\n}\n')
    assert [(each.name, each.change) for each in found.services] == [
        ("new", "added"),
        ("web", "removed"),
        ("old", "removed"),
    ]
    assert [(each.name, each.change) for each in found.tasks] == [("migrate", "removed")]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"web:1"\n  port', '"web:2"\n  port', {"image": ("web:1", "web:2")}),
        ("replicas = 2", "replicas = 3", {"replicas": (2, 3)}),
        ("  replicas = 2\n", "", {"replicas": (2, None)}),
        (', OLD = "x"', ', NEW = "y"', {"env.NEW": (None, "y"), "env.OLD": ("x", None)}),
        ('path = "/"', 'path = "/"\n    websocket = true', {"routes.www.example.com/.websocket": (False, True)}),
        ('"/cache"', '"/tmp"', {"volumes.cache.path": ("/cache", "/tmp")}),
        ("port     = 8080", 'port = 8080\n  command = ["a", "b"]', {"command": (None, ["a", "b"])}),
        ("port     = 8080", 'port = 8080\n  memory = "256M"', {}),
    ],
)
def test_changes_of_fields(old: str, new: str, expected: dict[str, tuple[object, object]]) -> None:
    assert old in BEFORE
    found = _difference(BEFORE.replace(old, new, 1))
    assert _fields(found) == expected
    assert found.changed is bool(expected)
    assert found.services[1].change == "unchanged"


def test_the_order_of_routes_and_volumes_does_not_matter() -> None:
    two = BEFORE.replace('  volume "cache"', '  route "b.example.com" {\n    path = "/"\n  }\n  volume "cache"')
    other_order = BEFORE.replace('  route "www', '  route "b.example.com" {\n    path = "/"\n  }\n  route "www')
    assert _difference(other_order, before=two).changed is False
