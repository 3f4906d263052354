"""Deploys and restarts over HTTP, on the real cluster: GitOps owners, dry runs, new pods on request."""

import json
from typing import Any

import httpx
from httpx_sse import connect_sse

from tests.e2e.conftest import Namespace, wait_for
from tests.e2e.seed import NODE
from tests.support import server_sent

WEB = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
}
"""
CHANGED = WEB.replace("web:1", "web:2") + WEB.replace('"web"', '"more"')

Told = list[tuple[str, dict[str, Any]]]


def _post(http: httpx.Client, path: str, content: str = "", **parameters: str) -> tuple[int, Told]:
    """Send a request that is answered by a stream; return the status, and the events to the end."""
    with connect_sse(http, "POST", path, params=parameters, content=content) as stream:
        if stream.response.status_code != 200:
            return stream.response.status_code, [("", json.loads(stream.response.read()))]
        return 200, [(each.event, json.loads(each.data)) for each in server_sent.events(stream)]


def _deploy(http: httpx.Client, namespace: Namespace, text: str, **parameters: str) -> tuple[int, Told]:
    content = text.replace("REGISTRY", namespace.registry)
    return _post(http, "/v1/deploy", content, namespace=namespace.name, **parameters)


def test_what_argo_cd_manages_is_left_alone_unless_forced(http: httpx.Client, namespace: Namespace) -> None:
    _deploy(http, namespace, WEB)
    tracking = f"argocd.argoproj.io/tracking-id=shop:mill.dev/MillDeployment:{namespace.name}/mill"
    namespace.kubectl("annotate", "milldeployment", "mill", tracking)
    before = namespace.get("milldeployment", "mill")["metadata"]["generation"]
    status, told = _deploy(http, namespace, CHANGED)
    assert (status, told[0][1]["owner"]) == (409, "the Argo CD application shop")
    assert namespace.get("milldeployment", "mill")["metadata"]["generation"] == before
    refused = namespace.deploy(CHANGED)
    assert (refused.code, "managed by the Argo CD application shop" in refused.stderr) == (1, True)
    assert namespace.deploy(CHANGED, "--force").code == 0
    status, told = _deploy(http, namespace, WEB, force="true")
    assert (status, told[-1][0], told[-1][1]["success"]) == (200, "done", True)


def test_a_dry_run_tells_the_difference_and_changes_nothing(http: httpx.Client, namespace: Namespace) -> None:
    where = {"namespace": namespace.name, "dryRun": "true"}

    def plan(text: str) -> dict[str, Any]:
        answer = http.post("/v1/deploy", params=where, content=text.replace("REGISTRY", namespace.registry))
        assert answer.status_code == 200, answer.text
        return answer.json()

    first = plan(WEB)
    assert (first["created"], [each["change"] for each in first["services"]]) == (True, ["added"])
    assert namespace.items("milldeployments") == []

    _deploy(http, namespace, WEB)
    namespace.recorded_rollout()
    before = namespace.get("milldeployment", "mill")
    assert plan(WEB)["changed"] is False
    second = plan(CHANGED)
    assert [(each["name"], each["change"]) for each in second["services"]] == [("web", "changed"), ("more", "added")]
    image = {"path": "image", "before": f"{namespace.registry}/web:1", "after": f"{namespace.registry}/web:2"}
    assert second["services"][0]["fields"] == [image]
    assert namespace.get("milldeployment", "mill") == before


def test_a_dry_run_has_the_api_server_check_it(http: httpx.Client, namespace: Namespace) -> None:
    """A quota on MillDeployments, which only the API server knows of."""
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none"},
        "spec": {"hard": {"count/milldeployments.mill.dev": "0"}},
    }
    namespace.kubectl("apply", "-f", "-", stdin=json.dumps(quota))
    content = WEB.replace("REGISTRY", namespace.registry)

    def checked() -> httpx.Response | None:
        answer = http.post("/v1/deploy", params={"namespace": namespace.name, "dryRun": "true"}, content=content)
        return answer if "exceeded quota" in answer.json().get("error", "") else None

    # Admission reads quotas from a cache of its own, which may be behind.
    assert wait_for("the API server to know the quota", checked).status_code == 403
    assert namespace.get("milldeployment", "mill") == {}


def test_a_restart_gives_a_service_new_pods_and_tells_of_it(http: httpx.Client, namespace: Namespace) -> None:
    _deploy(http, namespace, WEB + WEB.replace('"web"', '"other"'))
    before, others = namespace.ready_pods("web"), namespace.ready_pods("other")
    status, told = _post(http, "/v1/restart/web", namespace=namespace.name)
    assert status == 200
    assert told[:-1] == [
        ("progress", {"service": "web", "phase": "scheduled", "node": NODE}),
        ("progress", {"service": "web", "phase": "healthy"}),
    ]
    assert (told[-1][0], told[-1][1]["success"]) == ("done", True)
    assert set(namespace.ready_pods("web")) - set(before)
    assert namespace.ready_pods("other") == others
    assert _post(http, "/v1/restart/nope", namespace=namespace.name)[0] == 404
