"""A cluster that knows an account's tokens, and lets its owner do what a test says."""

from typing import Any

from mill_gateway.settings import Settings
from tests.unit.mill_gateway.conftest import Recorded, Request
from tests.unit.mill_gateway.objects import claim, job, mill_deployment, node, pod

KUBERNETES = Settings(kubernetes_tokens=True, drain=True)
BOT_NAME = "system:serviceaccount:shop:bot"
BOT = {"username": BOT_NAME, "uid": "u-1", "groups": ["g"], "extra": {"k": ["v"]}}
EVERYTHING = (
    mill_deployment({"name": "web", "image": "web:1"}, tasks=[{"name": "web", "image": "web:1"}]),
    pod("web"),
    pod("web", "1", kind="task", run="web"),
    job("web", "web"),
    claim("web", "web"),
    node("web"),
)
"""One of each kind, all of the same name."""


def review(recorded: Recorded, *, allowed: bool, reason: str = "") -> None:
    """Let the cluster know `good-token`, and say whether its owner may."""
    recorded.kube.answers |= {
        ("create", "tokenreviews"): _authenticated,
        ("create", "subjectaccessreviews"): {"status": {"allowed": allowed, "reason": reason}},
    }


def _authenticated(asked: Request) -> dict[str, Any]:
    """`good-token` is for the API server, `our-token` for the audience `mill`."""
    spec = asked.body["spec"]
    known = spec["token"] == ("our-token" if "audiences" in spec else "good-token")
    return {"status": {"authenticated": known, "user": BOT if known else {}, "audiences": spec.get("audiences")}}
