"""Going back to an earlier revision through the real `mill`: what changes, what stays, and what is refused."""

import json
import os
import uuid
from dataclasses import replace
from typing import Any, Final

import httpx
import pytest

from hack import images
from hack.cluster import node_images
from hack.pictures.terminal import Terminal
from tests.e2e.conftest import MILL, Finished, Namespace, wait_for
from tests.e2e.gateway.conftest import StartGateway

SERVICE: Final = """
service "NAME" {
  image = "IMAGE"
  port  = 8080
  cpu   = 0.02
  env   = { MODE = "MODE_OF" }
  update { settle = "0s" }
}
"""
MIGRATE: Final = """
task "migrate" {
  image   = "REGISTRY/busybox:1"
  cpu     = 0.02
  command = ["true"]
  before  = ["web"]
}
"""
ARGO: Final = "argocd.argoproj.io/tracking-id=shop:mill.dev/MillDeployment:{}/mill"
FLUX: Final = ("kustomize.toolkit.fluxcd.io/name=apps", "kustomize.toolkit.fluxcd.io/namespace=flux-system")


@pytest.fixture
def shop(namespace: Namespace, start_gateway: StartGateway) -> Namespace:
    """A namespace with a gateway of the code as it is."""
    return replace(namespace, gateway=start_gateway().url)


def service(image: str = "REGISTRY/web:1", name: str = "web", mode: str = "a") -> str:
    return SERVICE.replace("NAME", name).replace("IMAGE", image).replace("MODE_OF", mode)


def history(namespace: Namespace) -> list[dict[str, Any]]:
    """The revisions, newest first."""
    done = namespace.mill("history", "--json")
    assert done.code == 0, done
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def newest(namespace: Namespace, number: int, result: str) -> dict[str, Any]:
    """Wait until the newest revision is this one with its result, and return it."""

    def found() -> dict[str, Any] | None:
        first = next(iter(history(namespace)), {})
        return first if (first.get("revision"), first.get("result")) == (number, result) else None

    return wait_for(f"revision {number}: {result}", found, 30)


def image(namespace: Namespace, name: str = "web") -> str:
    """The image of a service in the stored spec, without the registry."""
    spec = namespace.get("milldeployment", "mill")["spec"]
    (found,) = (each["image"] for each in spec["services"] if each["name"] == name)
    return str(found).removeprefix(f"{namespace.registry}/")


def rollback(namespace: Namespace, *arguments: str, code: int = 0) -> Finished:
    done = namespace.mill("rollback", "--yes", *arguments)
    assert done.code == code, done.stdout + done.stderr
    return done


def test_a_broken_deploy_is_rolled_back_and_a_rollback_too(shop: Namespace) -> None:
    assert shop.deploy(service(), "--quiet").code == 0
    pods = shop.ready_pods("web")
    first = newest(shop, 1, "Succeeded")
    assert (first["source"], first["verified"], first["rollback"]) == ("production.mill", True, None)
    assert shop.deploy(service("REGISTRY/web:missing")).code == 1
    broken = newest(shop, 2, "Failed")
    assert broken["changed"] == ["web: image 1 → missing"]
    assert broken["summary"] == "failed: web: image pull failed: tag not found"

    done = rollback(shop)
    assert done.stdout.splitlines()[-1].startswith("  rolled back (")
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"rollback of {shop.name}/mill to revision 1 (")
    assert lines[1:3] == [
        f"plan for {shop.name}/mill: 1 changed",
        f"  ~ service web: image {shop.registry}/web:missing → {shop.registry}/web:1",
    ]
    back = newest(shop, 3, "Succeeded")
    assert (back["rollback"], back["changed"], image(shop)) == (1, ["web: image missing → 1"], "web:1")
    assert shop.ready_pods("web") == pods, "the pods of the version that served are the same"

    assert shop.deploy(service("REGISTRY/web:2"), "--quiet").code == 0
    newest(shop, 4, "Succeeded")
    rollback(shop)
    assert (newest(shop, 5, "Succeeded")["rollback"], image(shop)) == (3, "web:1")
    rollback(shop)
    assert (newest(shop, 6, "Succeeded")["rollback"], image(shop)) == (4, "web:2")

    file = shop.mill("history", "1", "--quiet").stdout
    assert shop.mill("validate", "-", stdin=file).code == 0
    assert f'image = "{shop.registry}/web:1"' in file
    compared = shop.mill("diff", "--rev", "1", "--rev", "4")
    assert f"image: {shop.registry}/web:1 → {shop.registry}/web:2" in compared.stdout
    assert shop.mill("diff", "--rev", "4", "--exit-code").code == 0, "it is what is deployed"
    assert [each["revision"] for each in history(shop)] == [6, 5, 4, 3, 2, 1]
    table = shop.mill("history").stdout.splitlines()
    assert table[0].split() == ["REVISION", "AGE", "BY", "CHANGED", "RESULT"]
    assert "rollback to 4: web: image 1 → 2" in table[1]
    same = rollback(shop, "4")
    assert (same.stdout, same.stderr) == ("", f"{shop.name}/mill is as revision 4 was: nothing to roll back\n")


def test_one_service_goes_back_alone(shop: Namespace) -> None:
    assert shop.deploy(service() + service(name="api"), "--quiet").code == 0
    newest(shop, 1, "Succeeded")
    later = service("REGISTRY/web:2") + service("REGISTRY/web:2", name="api")
    assert shop.deploy(later, "--quiet").code == 0
    newest(shop, 2, "Succeeded")
    pods = shop.ready_pods("api")
    rollback(shop, "--service", "web")
    assert newest(shop, 3, "Succeeded")["changed"] == ["web: image 2 → 1"]
    assert (image(shop), image(shop, "api")) == ("web:1", "web:2")
    assert shop.ready_pods("api") == pods
    refused = rollback(shop, "2", "--service", "db", code=1)
    assert refused.stderr == "error: revision 2 has no service db\n"


def test_a_tag_that_has_moved_is_pinned_to_what_ran(shop: Namespace) -> None:
    tag = f"moving-{uuid.uuid4().hex[:8]}"
    text = service(f"REGISTRY/web:{tag}")
    images.push_sample(shop.registry, tag, version="one")
    assert shop.deploy(text, "--quiet").code == 0
    ran = newest(shop, 1, "Succeeded")["digests"]["web"]
    node_images.forget(images.push_sample(shop.registry, tag, version="two"))  # or else the node keeps the first
    assert shop.deploy(text.replace('"a"', '"b"'), "--quiet").code == 0
    assert newest(shop, 2, "Succeeded")["digests"]["web"] != ran
    rollback(shop)
    assert image(shop) == f"web:{tag}@{ran}"
    assert newest(shop, 3, "Succeeded")["digests"]["web"] == ran
    (pod,) = shop.pods("web")
    assert pod["status"]["containerStatuses"][0]["imageID"].endswith(ran)


def test_what_does_not_go_back_is_said(shop: Namespace) -> None:
    images.push_busybox(shop.registry, "1")
    assert shop.deploy(service(), "--quiet").code == 0
    newest(shop, 1, "Succeeded")
    assert shop.deploy(service("REGISTRY/web:2") + MIGRATE, "--quiet").code == 0
    newest(shop, 2, "Succeeded")
    jobs = len(shop.items("jobs"))
    done = rollback(shop)
    note = "  note: task migrate has run since revision 1: what it did stays, and it does not run again\n"
    assert note in done.stderr
    newest(shop, 3, "Succeeded")
    rollback(shop, "2")
    newest(shop, 4, "Succeeded")
    assert len(shop.items("jobs")) == jobs, "the migration has succeeded for that version"


def test_git_is_what_goes_back_where_a_tool_owns_the_resource(shop: Namespace) -> None:
    for tag, result in (("1", "Succeeded"), ("2", "Succeeded")):
        assert shop.deploy(service(f"REGISTRY/web:{tag}"), "--quiet").code == 0
        newest(shop, int(tag), result)
    generation = shop.get("milldeployment", "mill")["metadata"]["generation"]
    shop.kubectl("annotate", "milldeployment/mill", ARGO.format(shop.name))
    done = rollback(shop, code=1)
    assert "is managed by the Argo CD application shop: revert the commit in Git" in done.stderr
    assert "`argocd app rollback shop`" in done.stderr
    shop.kubectl("annotate", "milldeployment/mill", ARGO.partition("=")[0] + "-")
    shop.kubectl("label", "milldeployment/mill", *FLUX)
    done = rollback(shop, "1", "--json", code=1)
    error = json.loads(done.stderr)
    assert (error["code"], error["owner"]) == ("managed_by_gitops", "the Flux Kustomization flux-system/apps")
    assert "`flux reconcile kustomization apps --namespace flux-system --with-source`" in error["error"]
    assert shop.get("milldeployment", "mill")["metadata"]["generation"] == generation


def test_it_asks_on_a_terminal_and_needs_yes_without_one(shop: Namespace) -> None:
    for tag in ("1", "2"):
        assert shop.deploy(service(f"REGISTRY/web:{tag}"), "--quiet").code == 0
        newest(shop, int(tag), "Succeeded")
    done = shop.mill("rollback")
    assert (done.code, "no terminal to ask on: roll back" in done.stderr) == (1, True), done
    assert image(shop) == "web:2"
    environment = {**os.environ, "MILL_ADDRESS": shop.gateway, "MILL_NAMESPACE": shop.name}
    with Terminal(MILL, "rollback", columns=120, environment=environment, folder=shop.folder) as terminal:
        terminal.wait_for(f"roll back {shop.name}/mill to revision 1? [y/N]", 60)
        terminal.press(b"y\n")
        assert terminal.end(90) == 0
        assert "rolled back: 1 healthy" in terminal.everything
    assert image(shop) == "web:1"


def test_the_api_writes_only_what_its_plan_has_shown(shop: Namespace) -> None:
    for tag in ("1", "2"):
        assert shop.deploy(service(f"REGISTRY/web:{tag}"), "--quiet").code == 0
        newest(shop, int(tag), "Succeeded")
    route = f"{shop.gateway}/v1/deployments/mill"
    with httpx.Client(params={"namespace": shop.name}, timeout=90) as http:
        plan = http.post(f"{route}/rollback", params={"namespace": shop.name, "plan": "true"}).json()
        assert (plan["target"]["revision"], plan["changed"], image(shop)) == (1, True, "web:2")
        assert shop.deploy(service("REGISTRY/web:2", mode="b"), "--quiet").code == 0
        fixed = {"namespace": shop.name, "revision": "1", "base": plan["base"]}
        refused = http.post(f"{route}/rollback", params=fixed)
        assert (refused.status_code, refused.json()["code"]) == (409, "plan_outdated")
        newest(shop, 3, "Succeeded")
        done = http.post(f"{route}/rollback", params={"namespace": shop.name, "revision": "1"})
        assert (done.status_code, '"success": true' in done.text) == (200, True)
        newest(shop, 4, "Succeeded")
        detail = http.get(f"{route}/revisions/4").json()
        assert (detail["rollback"], detail["current"]) == (1, True)
        assert detail["spec"]["services"][0]["image"] == f"{shop.registry}/web:1"
        missing = http.get(f"{route}/revisions/99").json()
        assert (missing["code"], missing["existing"]) == ("revision_not_found", ["4", "3", "2", "1"])


def test_an_author_is_unverified_after_an_edit_by_another_way(shop: Namespace) -> None:
    assert shop.deploy(service(), "--quiet").code == 0
    newest(shop, 1, "Succeeded")
    change = [{"op": "replace", "path": "/spec/services/0/image", "value": f"{shop.registry}/web:2"}]
    shop.kubectl("patch", "milldeployment/mill", "--type=json", "-p", json.dumps(change))
    edited = newest(shop, 2, "Succeeded")
    assert (edited["verified"], edited["source"], edited["changed"]) == (False, None, ["web: image 1 → 2"])
    assert "(unverified)" in shop.mill("history").stdout.splitlines()[1]
