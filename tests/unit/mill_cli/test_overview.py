"""`mill status` in a narrow terminal: nothing is broken where there is room for it, and what is wrong comes last."""

from datetime import UTC, datetime
from typing import Any

import pytest

from mill_cli.output.overview import overview

NOW = datetime(2026, 2, 14, 10, 15, tzinfo=UTC).timestamp()


def service(name: str, state: str = "Healthy", *, healthy: int = 1, **more: Any) -> dict[str, Any]:
    """Return a service as the gateway lists it."""
    return {
        "name": name,
        "namespace": "shop",
        "deployment": "mill",
        "image": f"registry/{name}:v2",
        "replicas": {"desired": 1, "healthy": healthy, "serving": healthy},
        "allocations": [{"restarts": 0, "status": "healthy"}],
        "state": state,
        "created_at": "2026-02-14T08:00:00Z",
        "changed_at": "2026-02-14T10:01:00Z",
        "since": "2026-02-14T10:01:00Z",
        "port": 8080,
        "routes": [],
        **more,
    }


CRASHED = {"message": "container exited with code 1", "suggestion": "Read its log: mill logs."}
LONG = "checkout-of-the-payment-gateway"
SERVICES = [
    service("web", routes=[{"url": "http://shop.example.com/", "address": "203.0.113.10", "problem": None}]),
    service("db", "Failed", healthy=0, **CRASHED),
    service("cache", "Failed", healthy=0, **CRASHED),
    service(
        LONG,
        "Suspect",
        healthy=0,
        message="health check failing",
        due_at="2026-02-14T10:15:18Z",
        allocations=[{"restarts": 7, "status": "failed"}],
    ),
]
FOUND: dict[str, Any] = {
    "cluster": {"namespace": "shop", "deployments": None},
    "services": SERVICES,
    "tasks": [],
    "nodes": None,
}
NARROW = """\
NAMESPACE: shop
CLUSTER: not permitted to list nodes

SERVICES
 NAME                   STATE    SERVING  UPDATED  RESTARTS·
 web                    Healthy  1/1      1/1      0       ·
    registry/web:v2  web.shop:8080 http://shop.example.com/
 db                     Failed   0/1      0/1      0       ·
    registry/db:v2  db.shop:8080
 cache                  Failed   0/1      0/1      0       ·
    registry/cache:v2  cache.shop:8080
 checkout-of-the-payme  Suspect  0/1      0/1      7       ·
 nt-gateway                                                ·
    registry/checkout-of-the-payment-gateway:v2
    checkout-of-the-payment-gateway.shop:8080

PROBLEMS
 db, cache: failed 14m ago: container exited with code 1
    help: Read its log: mill logs.
 checkout-of-the-payment-gateway: suspect for 14m: health
   check failing; it may still heal, and fails in 18s
   otherwise
"""


def test_sixty_columns() -> None:
    assert overview(FOUND, NOW, 60) == NARROW.replace("·", " ").rstrip("\n")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    shown = overview(FOUND, NOW, width)
    assert max(map(len, shown.splitlines())) <= width
    assert "registry/web:v2" in shown
    assert "http://shop.example.com/" in shown


@pytest.mark.parametrize(
    ("serving", "image", "shown"),
    [
        (["web:2"], "web:3", "web:2 -> 3"),
        (["registry:5000/web:2"], "registry:5000/web:3", "registry:5000/web:2 -> 3"),
        (["old/web:2"], "new/web:2", "old/web:2 -> new/web:2"),
        (["web:1", "web:2"], "web:3", "web:1, web:2 -> web:3"),
        (["web"], "registry:5000/web", "web -> registry:5000/web"),
        (["web:3"], "web:3", "web:3"),
        ([], "web:3", "web:3"),
    ],
)
def test_an_update_shows_what_serves_and_what_is_next(serving: list[str], image: str, shown: str) -> None:
    updated = service("web", image=image, serving_images=serving, update="update in progress (0/1)")
    text = overview(FOUND | {"services": [updated]}, NOW, None)
    assert f"  {shown}  " in text


def test_equal_causes_are_told_once() -> None:
    many = [service(f"s{at}", "Failed", healthy=0, **CRASHED) for at in range(12)]
    text = overview(FOUND | {"services": many}, NOW, None)
    assert text.partition("PROBLEMS\n")[2] == (
        " s0, s1, s2, s3, s4, s5, s6, s7 and 4 more: failed 14m ago: container exited with code 1\n"
        "    help: Read its log: mill logs."
    )


def test_problems_come_first_where_the_end_may_be_out_of_sight() -> None:
    text = overview(FOUND, NOW, 80, problems_first=True)
    assert text.index("PROBLEMS") < text.index("SERVICES")
