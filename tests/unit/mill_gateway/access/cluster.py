"""A service account with two tokens, and the rights that a test gives to it."""

from mill_gateway.settings import Settings
from mill_objects.json import Json
from tests.support.apiserver import Token
from tests.support.gateway.objects import claim, job, mill_deployment, node, pod
from tests.support.gateway.served import Served

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


def review(served: Served, *, allowed: bool, reason: str = "") -> None:
    """Let the API server accept both tokens, and allow all requests of their user, or none."""
    _issue_tokens(served)
    served.api.accounts.is_allowed = lambda _: allowed
    served.api.accounts.reason = reason


Right = tuple[str, str] | tuple[str, str, str]
"""Verb and resource, and a name if it is given for that one only: `("get", "pods/log", "web-0")`."""


def grant(served: Served, *rights: Right) -> None:
    """Let the API server accept both tokens and give these rights to their user; empty the caches of reviews."""

    def is_allowed(spec: Json) -> bool:
        about = spec.get("resourceAttributes") or {}
        target = about.get("resource", "") + (f"/{about['subresource']}" if "subresource" in about else "")
        wanted = (about.get("verb"), target)
        return wanted in rights or (*wanted, about.get("name")) in rights

    _issue_tokens(served)
    served.api.accounts.is_allowed = is_allowed
    served.http.headers["Authorization"] = "Bearer good-token"
    reviews = served.gateway.access._reviews
    assert reviews is not None
    for cache in (reviews._reviews, reviews._identities):
        cache._valuable.clear()
        cache._others.clear()


def asked(served: Served) -> list[str]:
    """Return the rights that were reviewed, each once, in order."""
    found = {}
    for each in served.api.requests:
        if each.resource.kind == "SubjectAccessReview":
            about = each.body["spec"]["resourceAttributes"]
            target = about["resource"] + (f"/{about['subresource']}" if "subresource" in about else "")
            found[" ".join((about["verb"], target, *([about["name"]] if "name" in about else [])))] = None
    return list(found)


def done(served: Served) -> list[str]:
    """Return the requests to the API server other than reviews."""
    return [f"{each.verb} {each.resource.plural}" for each in served.api.requests if "Review" not in each.resource.kind]


def _issue_tokens(served: Served) -> None:
    """Issue `good-token` for the API server and `our-token` for the audience `mill`."""
    served.api.accounts.tokens |= {"good-token": Token(BOT), "our-token": Token(BOT, ("mill",))}
