"""Nothing that works is taken down by something that does not."""

import httpx

from tests.e2e.seed import NODE

from .conftest import Namespace, polling, wait_for

GOOD = """
service "web" {
  image    = "REGISTRY/web:1"
  port     = 8080
  cpu      = 0.05
  replicas = 2
  health { path = "/healthz" }
}
"""


def _service_url(namespace: Namespace) -> str:
    return f"http://{namespace.get('service', 'web')['spec']['clusterIP']}:8080/"


def _pod_ids(namespace: Namespace) -> set[str]:
    """Return the ids of all pods, also of those that are being deleted."""
    return {pod["metadata"]["uid"] for pod in namespace.items("pods", "-l", "mill.dev/service=web")}


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False  # kube-proxy may not have the endpoints yet


def test_an_update_to_a_missing_tag_costs_no_request(namespace: Namespace) -> None:
    assert namespace.deploy(GOOD).code == 0
    old = namespace.ready_pods("web")
    assert len(old) == 2
    url = _service_url(namespace)
    wait_for("the service's address", lambda: _answers(url))
    with polling(url) as client:
        done = namespace.deploy(GOOD.replace("web:1", "web:missing"))
        wait_for("some requests after the verdict", lambda: client.answers >= 40)
    assert done.stdout == "  web: failed: image pull failed: tag not found\n  deploy finished with errors\n"
    assert done.code == 1
    assert client.failures == []
    assert namespace.ready_pods("web") == old


def test_a_good_update_costs_no_request(namespace: Namespace) -> None:
    """The sample program stops accepting connections at SIGTERM, as most do; `make soak-settle` counts many updates."""
    assert namespace.deploy(GOOD).code == 0
    old = namespace.ready_pods("web")
    url = _service_url(namespace)
    wait_for("the service's address", lambda: _answers(url))
    with polling(url) as client:
        assert namespace.deploy(GOOD.replace("web:1", "web:2")).code == 0
        wait_for("the old pods to go", lambda: not old.keys() & _pod_ids(namespace))
    assert client.answers > 20
    assert client.failures == []


def test_an_update_that_listens_and_then_exits_costs_no_old_pod(namespace: Namespace) -> None:
    """The new version is ready for 4 seconds, then dies, again and again.

    The old pods are asked directly: they must answer every request. (Through the Service, a request that meets the
    dying pod in the moment between its end and its endpoint's removal is refused, as with any Deployment.)
    """
    assert namespace.deploy(GOOD).code == 0
    old = namespace.ready_pods("web")
    dying = GOOD.replace("  port ", '  command = ["/web", "--exit-after", "4s"]\n  port ')
    dying = dying.replace("  health {", '  update { settle = "10s" }\n  health {')
    with polling(f"http://{next(iter(old.values()))}:8080/") as client:
        namespace.deploy(dying)
        wait_for("the verdict after it has died twice", lambda: namespace.service("web").get("state") == "Failed")
    service = namespace.service("web")
    assert (service["reason"], service["message"]) == ("ContainerExited", "container exited with code 1")
    assert "exiting with code 1 after 4s" in service["evidence"]
    assert client.failures == []
    assert client.answers > 20
    assert old.items() <= namespace.ready_pods("web").items()


def test_the_same_file_again_after_the_tag_was_pushed_is_healthy_in_seconds(namespace: Namespace) -> None:
    """Asked again, a service that is not healthy gets new pods, since the kubelet's back-off belongs to the old."""
    from hack import images

    late = f"late-{namespace.name}"
    text = GOOD.replace("web:1", f"web:{late}").replace("replicas = 2", "replicas = 1")
    assert namespace.deploy(text).code == 1
    (before,) = namespace.pods("web")
    images.push_sample(namespace.registry, late)
    done = namespace.deploy(text)
    lines = done.stdout.splitlines()
    assert done.code == 0
    assert lines[:-1] == [f"  web: scheduled on {NODE}", "  web: healthy"]
    (after,) = namespace.pods("web")
    assert after["metadata"]["uid"] != before["metadata"]["uid"]


def test_it_heals_by_itself_when_the_tag_is_pushed_and_the_rollout_stays_as_it_was(namespace: Namespace) -> None:
    from hack import images

    late = f"late-{namespace.name}"
    text = GOOD.replace("web:1", f"web:{late}").replace("replicas = 2", "replicas = 1")
    assert namespace.deploy(text).code == 1
    rollout = namespace.recorded_rollout()
    images.push_sample(namespace.registry, late)
    wait_for("the kubelet's next try", lambda: namespace.condition("Ready")["status"] == "True", seconds=120)
    assert namespace.service("web")["state"] == "Healthy"
    assert namespace.status()["rollout"] == rollout
    assert rollout["success"] is False


def test_a_healthy_deployment_deployed_again_is_a_quick_success(namespace: Namespace) -> None:
    assert namespace.deploy(GOOD).code == 0
    before = namespace.ready_pods("web")
    done = namespace.deploy(GOOD)
    assert done.code == 0
    assert len(done.stdout.splitlines()) == 1
    assert done.stdout.startswith("  deployed (")
    assert namespace.ready_pods("web") == before
