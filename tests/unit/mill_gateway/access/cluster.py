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


Right = tuple[str, str] | tuple[str, str, str]
"""Verb and resource, and a name if it is given for that one only: `("get", "pods/log", "web-0")`."""


def grant(recorded: Recorded, *rights: Right) -> None:
    """Let the cluster know `good-token`, whose owner has these rights, and forget what was answered before."""

    def may(asked: Request) -> dict[str, Any]:
        about = asked.body["spec"].get("resourceAttributes") or {}
        target = about.get("resource", "") + (f"/{about['subresource']}" if "subresource" in about else "")
        wanted = (about.get("verb"), target)
        return {"status": {"allowed": wanted in rights or (*wanted, about.get("name")) in rights}}

    recorded.kube.answers |= {
        ("create", "tokenreviews"): _authenticated,
        ("create", "subjectaccessreviews"): may,
    }
    recorded.http.headers["Authorization"] = "Bearer good-token"
    reviews = recorded.gateway.access._reviews
    assert reviews is not None
    for cache in (reviews._reviews, reviews._identities):
        cache._valuable.clear()
        cache._others.clear()


def asked(recorded: Recorded) -> list[str]:
    """Return what rights were asked for, each once, in order."""
    found = {}
    for each in recorded.kube.requests:
        if each.resource.kind == "SubjectAccessReview":
            about = each.body["spec"]["resourceAttributes"]
            target = about["resource"] + (f"/{about['subresource']}" if "subresource" in about else "")
            found[" ".join((about["verb"], target, *([about["name"]] if "name" in about else [])))] = None
    return list(found)


def done(recorded: Recorded) -> list[str]:
    """Return what was asked of the API server besides reviews."""
    return [
        f"{each.verb} {each.resource.plural}" for each in recorded.kube.requests if "Review" not in each.resource.kind
    ]


def _authenticated(asked: Request) -> dict[str, Any]:
    """`good-token` is for the API server, `our-token` for the audience `mill`."""
    spec = asked.body["spec"]
    known = spec["token"] == ("our-token" if "audiences" in spec else "good-token")
    return {"status": {"authenticated": known, "user": BOT if known else {}, "audiences": spec.get("audiences")}}
