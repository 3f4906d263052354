"""Names that do not exist are named, with what there is: the same words in every command."""

from typing import Any

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import FakeGateway, refusal


def missing(kind: str, name: str, existing: list[str] | None, namespace: str | None = "shop") -> Any:
    """Return the answer of a gateway about a name that does not exist."""
    more = {} if existing is None else {"existing": existing}
    code = f"{kind}_not_found"
    return refusal(404, f"{kind} not found", code=code, kind=kind, name=name, namespace=namespace, **more)


CASES = [
    (
        ("restart", "wbe"),
        ("POST", "/v1/restart/wbe"),
        missing("service", "wbe", ["api", "web"]),
        'error: no service "wbe" in namespace shop\n  help: did you mean `web`?\n  help: there are api, web\n',
    ),
    (
        ("history", "--name", "mall"),
        ("GET", "/v1/deployments/mall/revisions"),
        missing("deployment", "mall", ["blog"]),
        'error: no deployment "mall" in namespace shop\n  help: choose a deployment with --name: blog\n',
    ),
    (
        ("history", "9"),
        ("GET", "/v1/deployments/mill/revisions/9"),
        missing("revision", "9", ["4", "3"]),
        'error: no revision "9" in namespace shop\n  help: there are 4, 3\n',
    ),
    (
        ("kill", "migrate-2"),
        ("DELETE", "/v1/tasks/migrate-2"),
        missing("run", "migrate-2", []),
        'error: no run "migrate-2" in namespace shop\n  help: the namespace has no runs\n',
    ),
    (
        ("secret", "get", "db.ulr"),
        ("GET", "/v1/secrets/db.ulr"),
        missing("secret", "db.ulr", [f"s{at}" for at in range(12)]),
        (
            'error: no secret "db.ulr" in namespace shop\n'
            "  help: there are s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 and 2 more: `mill secret list`\n"
        ),
    ),
    (
        ("volume", "delete", "dat"),
        ("DELETE", "/v1/volumes/dat"),
        missing("volume", "dat", None),
        'error: no volume "dat" in namespace shop\n',
    ),
    (
        ("remove", "node-2"),
        ("DELETE", "/v1/nodes/node-2"),
        missing("node", "node-2", ["node-1"], None),
        'error: no node "node-2"\n  help: did you mean `node-1`?\n  help: there is node-1\n',
    ),
    (
        ("status", "-n", "shp"),
        ("GET", "/v1/status"),
        missing("namespace", "shp", ["shop", "tour"], None),
        (
            'error: namespace "shp" does not exist\n  help: did you mean `shop`?\n'
            "  help: choose a namespace with --namespace: shop, tour\n"
            "  help: create it: `kubectl create namespace shp`\n"
        ),
    ),
    (
        ("secret", "list"),
        ("GET", "/v1/secrets"),
        missing("namespace", "shop", None, None),
        'error: namespace "shop" does not exist\n  help: create it: `kubectl create namespace shop`\n',
    ),
    (
        ("kill", "x\x1b[31m"),
        ("DELETE", "/v1/tasks/x%1B%5B31m"),
        missing("run", "x\x1b[31m", ["\x1b[2J"]),
        'error: no run "x�[31m" in namespace shop\n  help: there is �[2J\n',
    ),
    (
        ("kill", "x"),
        ("DELETE", "/v1/tasks/x"),
        refusal(404, "task not found", code="run_not_found"),  # of the release before
        "error: task not found\n",
    ),
]


@pytest.mark.parametrize(("command", "route", "answer", "said"), CASES, ids=[" ".join(case[0][:2]) for case in CASES])
def test_what_is_missing_is_named(
    mill: Mill, gateway: FakeGateway, command: tuple[str, ...], route: tuple[str, str], answer: Any, said: str
) -> None:
    gateway.answers(*route, answer)
    done = mill(*command)
    assert (done.stdout, done.stderr, done.code) == ("", said, 1)
