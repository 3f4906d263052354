"""Plans of deploys as a gateway answers them, and what mill prints of them."""

from typing import Any

from tests.cli.fake_gateway import refusal

DONE = ("done", {"elapsed": 4.2, "success": True})
DEPLOYED = "  deployed (4.2s)\n"
PLAN: dict[str, Any] = {
    "changed": True,
    "services": [
        {"name": "web", "change": "unchanged", "fields": []},
        {"name": "new", "change": "added", "fields": []},
        {
            "name": "broken",
            "change": "changed",
            "fields": [
                {"path": "image", "before": "web:1", "after": "web:\x1b[31m2"},
                {"path": "env.A", "before": None, "after": "a\nb"},
                {"path": "health", "before": {"path": "/ü"}, "after": None},
            ],
        },
    ],
    "tasks": [{"name": "migrate", "change": "removed", "fields": []}],
    "name": "mill",
    "namespace": "shop",
    "created": False,
}
BASE = "8ffa93a4-0000.2"
REMOVAL = PLAN | {
    "services": [
        {"name": "web", "change": "unchanged", "fields": []},
        {"name": "old", "change": "removed", "fields": []},
        {"name": "db", "change": "removed", "fields": []},
    ],
    "tasks": [],
    "volumes_kept": ["data"],
    "base": BASE,
}
REMOVAL_LINES = """\
plan for shop/mill: 2 removed, 1 unchanged
  - service old
  - service db
  volume data: kept, with its data
"""
SAME = PLAN | {"changed": False, "services": PLAN["services"][:1], "tasks": [], "base": BASE, "volumes_kept": []}
OUTDATED = refusal(409, "MillDeployment shop/mill has changed", code="plan_outdated")
