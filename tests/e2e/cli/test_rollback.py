"""Going back to an earlier revision through the real `mill`: what changes, what stays, and what is refused."""

import json
import os
import uuid
from typing import Any, Final

import httpx

from hack import images
from hack.cluster import node_images
from hack.pictures.terminal import Terminal
from tests.e2e.conftest import MILL, Finished, Namespace, wait_for

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

    revision: dict[str, Any] = wait_for(f"revision {number}: {result}", found, 30)
    return revision


def image(namespace: Namespace, name: str = "web") -> str:
    """The image of a service in the stored spec, without the registry."""
    spec = namespace.get("milldeployment", "mill")["spec"]
    (found,) = (each["image"] for each in spec["services"] if each["name"] == name)
    return str(found).removeprefix(f"{namespace.registry}/")


def rollback(namespace: Namespace, *arguments: str, code: int = 0) -> Finished:
    done = namespace.mill("rollback", "--yes", *arguments)
    assert done.code == code, done.stdout + done.stderr
    return done


def test_a_broken_deploy_is_rolled_back_and_a_rollback_too(namespace: Namespace) -> None:
    assert namespace.deploy(service(), "--quiet").code == 0
    pods = namespace.ready_pods("web")
    first = newest(namespace, 1, "Succeeded")
    assert (first["source"], first["verified"], first["rollback"]) == ("production.mill", True, None)
    assert namespace.deploy(service("REGISTRY/web:missing")).code == 1
    broken = newest(namespace, 2, "Failed")
    assert broken["changed"] == ["web: image 1 → missing"]
    assert broken["summary"] == "failed: web: image pull failed: tag not found"

    done = rollback(namespace)
    assert done.stdout.splitlines()[-1].startswith("  rolled back (")
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"rollback of {namespace.name}/mill to revision 1 (")
    assert lines[1:3] == [
        f"plan for {namespace.name}/mill: 1 changed",
        f"  ~ service web: image {namespace.registry}/web:missing → {namespace.registry}/web:1",
    ]
    back = newest(namespace, 3, "Succeeded")
    assert (back["rollback"], back["changed"], image(namespace)) == (1, ["web: image missing → 1"], "web:1")
    assert namespace.ready_pods("web") == pods, "the pods of the version that served are the same"

    assert namespace.deploy(service("REGISTRY/web:2"), "--quiet").code == 0
    newest(namespace, 4, "Succeeded")
    rollback(namespace)
    assert (newest(namespace, 5, "Succeeded")["rollback"], image(namespace)) == (3, "web:1")
    rollback(namespace)
    assert (newest(namespace, 6, "Succeeded")["rollback"], image(namespace)) == (4, "web:2")

    file = namespace.mill("history", "1", "--quiet").stdout
    assert namespace.mill("validate", "-", stdin=file).code == 0
    assert f'image = "{namespace.registry}/web:1"' in file
    compared = namespace.mill("diff", "--rev", "1", "--rev", "4")
    assert f"image: {namespace.registry}/web:1 → {namespace.registry}/web:2" in compared.stdout
    assert namespace.mill("diff", "--rev", "4", "--exit-code").code == 0, "it is what is deployed"
    assert [each["revision"] for each in history(namespace)] == [6, 5, 4, 3, 2, 1]
    table = namespace.mill("history").stdout.splitlines()
    assert table[0].split() == ["REVISION", "AGE", "BY", "CHANGED", "RESULT"]
    assert "rollback to 4: web: image 1 → 2" in table[1]
    same = rollback(namespace, "4")
    assert (same.stdout, same.stderr) == ("", f"{namespace.name}/mill is as revision 4 was: nothing to roll back\n")


def test_one_service_goes_back_alone(namespace: Namespace) -> None:
    assert namespace.deploy(service() + service(name="api"), "--quiet").code == 0
    newest(namespace, 1, "Succeeded")
    later = service("REGISTRY/web:2") + service("REGISTRY/web:2", name="api")
    assert namespace.deploy(later, "--quiet").code == 0
    newest(namespace, 2, "Succeeded")
    pods = namespace.ready_pods("api")
    rollback(namespace, "--service", "web")
    assert newest(namespace, 3, "Succeeded")["changed"] == ["web: image 2 → 1"]
    assert (image(namespace), image(namespace, "api")) == ("web:1", "web:2")
    assert namespace.ready_pods("api") == pods
    refused = rollback(namespace, "2", "--service", "db", code=1)
    assert refused.stderr == "error: revision 2 has no service db: there are web, api\n"


def test_a_tag_that_has_moved_is_pinned_to_what_ran(namespace: Namespace) -> None:
    tag = f"moving-{uuid.uuid4().hex[:8]}"
    text = service(f"REGISTRY/web:{tag}")
    images.push_sample(namespace.registry, tag, version="one")
    assert namespace.deploy(text, "--quiet").code == 0
    ran = newest(namespace, 1, "Succeeded")["digests"]["web"]
    node_images.forget(images.push_sample(namespace.registry, tag, version="two"))  # or else the node keeps the first
    assert namespace.deploy(text.replace('"a"', '"b"'), "--quiet").code == 0
    assert newest(namespace, 2, "Succeeded")["digests"]["web"] != ran
    rollback(namespace)
    assert image(namespace) == f"web:{tag}@{ran}"
    assert newest(namespace, 3, "Succeeded")["digests"]["web"] == ran
    (pod,) = namespace.pods("web")
    assert pod["status"]["containerStatuses"][0]["imageID"].endswith(ran)


def test_what_does_not_go_back_is_said(namespace: Namespace) -> None:
    images.push_busybox(namespace.registry, "1")
    assert namespace.deploy(service(), "--quiet").code == 0
    newest(namespace, 1, "Succeeded")
    assert namespace.deploy(service("REGISTRY/web:2") + MIGRATE, "--quiet").code == 0
    newest(namespace, 2, "Succeeded")
    jobs = len(namespace.items("jobs"))
    done = rollback(namespace)
    note = "  note: task migrate has run since revision 1: what it did stays, and it does not run again\n"
    assert note in done.stderr
    newest(namespace, 3, "Succeeded")
    rollback(namespace, "2")
    newest(namespace, 4, "Succeeded")
    assert len(namespace.items("jobs")) == jobs, "the migration has succeeded for that version"


def test_a_service_that_goes_back_alone_migrates_nothing(namespace: Namespace) -> None:
    images.push_busybox(namespace.registry, "1")
    for tag in ("1", "2"):
        migrate = MIGRATE.replace('["true"]', f'["true", "{tag}"]')
        assert namespace.deploy(service(f"REGISTRY/web:{tag}") + migrate, "--quiet").code == 0
        newest(namespace, int(tag), "Succeeded")
    jobs = sorted(job["metadata"]["name"] for job in namespace.items("jobs"))
    assert len(jobs) == 2
    done = rollback(namespace, "--service", "web")
    assert "task migrate has run since revision 1: what it did stays, and it does not run again\n" in done.stderr
    newest(namespace, 3, "Succeeded")
    assert image(namespace) == "web:1"
    assert sorted(job["metadata"]["name"] for job in namespace.items("jobs")) == jobs


def test_git_is_what_goes_back_where_a_tool_owns_the_resource(namespace: Namespace) -> None:
    for tag, result in (("1", "Succeeded"), ("2", "Succeeded")):
        assert namespace.deploy(service(f"REGISTRY/web:{tag}"), "--quiet").code == 0
        newest(namespace, int(tag), result)
    generation = namespace.get("milldeployment", "mill")["metadata"]["generation"]
    namespace.kubectl("annotate", "milldeployment/mill", ARGO.format(namespace.name))
    done = rollback(namespace, code=1)
    assert "is managed by the Argo CD application shop: revert the commit in Git" in done.stderr
    assert "`argocd app rollback shop`" in done.stderr
    namespace.kubectl("annotate", "milldeployment/mill", ARGO.partition("=")[0] + "-")
    namespace.kubectl("label", "milldeployment/mill", *FLUX)
    done = rollback(namespace, "1", "--json", code=1)
    error = json.loads(done.stderr)
    assert (error["code"], error["owner"]) == ("managed_by_gitops", "the Flux Kustomization flux-system/apps")
    assert "`flux reconcile kustomization apps --namespace flux-system --with-source`" in error["error"]
    assert namespace.get("milldeployment", "mill")["metadata"]["generation"] == generation


def test_it_asks_on_a_terminal_and_needs_yes_without_one(namespace: Namespace) -> None:
    for tag in ("1", "2"):
        assert namespace.deploy(service(f"REGISTRY/web:{tag}"), "--quiet").code == 0
        newest(namespace, int(tag), "Succeeded")
    done = namespace.mill("rollback")
    assert (done.code, "no terminal to ask on: roll back" in done.stderr) == (1, True), done
    assert image(namespace) == "web:2"
    environment = {**os.environ, "MILL_ADDRESS": namespace.gateway, "MILL_NAMESPACE": namespace.name}
    with Terminal(MILL, "rollback", columns=120, environment=environment, folder=namespace.folder) as terminal:
        terminal.wait_for(f"roll back {namespace.name}/mill to revision 1? [y/N]", 60)
        terminal.press(b"y\n")
        assert terminal.end(90) == 0
        assert "rolled back: 1 healthy" in terminal.everything
    assert image(namespace) == "web:1"


def test_the_api_writes_only_what_its_plan_has_shown(namespace: Namespace) -> None:
    for tag in ("1", "2"):
        assert namespace.deploy(service(f"REGISTRY/web:{tag}"), "--quiet").code == 0
        newest(namespace, int(tag), "Succeeded")
    route = f"{namespace.gateway}/v1/deployments/mill"
    with httpx.Client(params={"namespace": namespace.name}, timeout=90) as http:
        plan = http.post(f"{route}/rollback", params={"namespace": namespace.name, "plan": "true"}).json()
        assert (plan["target"]["revision"], plan["changed"], image(namespace)) == (1, True, "web:2")
        assert namespace.deploy(service("REGISTRY/web:2", mode="b"), "--quiet").code == 0
        fixed = {"namespace": namespace.name, "revision": "1", "base": plan["base"]}
        refused = http.post(f"{route}/rollback", params=fixed)
        assert (refused.status_code, refused.json()["code"]) == (409, "plan_outdated")
        newest(namespace, 3, "Succeeded")
        done = http.post(f"{route}/rollback", params={"namespace": namespace.name, "revision": "1"})
        assert (done.status_code, '"success": true' in done.text) == (200, True)
        newest(namespace, 4, "Succeeded")
        detail = http.get(f"{route}/revisions/4").json()
        assert (detail["rollback"], detail["current"]) == (1, True)
        assert detail["spec"]["services"][0]["image"] == f"{namespace.registry}/web:1"
        missing = http.get(f"{route}/revisions/99").json()
        assert (missing["code"], missing["existing"]) == ("revision_not_found", ["4", "3", "2", "1"])


def test_an_author_is_unverified_after_an_edit_by_another_way(namespace: Namespace) -> None:
    assert namespace.deploy(service(), "--quiet").code == 0
    newest(namespace, 1, "Succeeded")
    change = [{"op": "replace", "path": "/spec/services/0/image", "value": f"{namespace.registry}/web:2"}]
    namespace.kubectl("patch", "milldeployment/mill", "--type=json", "-p", json.dumps(change))
    edited = newest(namespace, 2, "Succeeded")
    assert (edited["verified"], edited["source"], edited["changed"]) == (False, None, ["web: image 1 → 2"])
    assert "(unverified)" in namespace.mill("history").stdout.splitlines()[1]
