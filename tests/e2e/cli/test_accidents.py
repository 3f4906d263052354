"""Deploys that would delete by accident, through the real `mill`: from a pipe, on a terminal, and on purpose."""

import os
from dataclasses import replace

import pytest

from hack.pictures.terminal import Terminal
from tests.e2e.conftest import MILL, Namespace, wait_for
from tests.e2e.gateway.conftest import StartGateway

WEB = 'service "web" {\n  image = "REGISTRY/web:1"\n  port  = 8080\n  cpu   = 0.02\n  update { settle = "0s" }\n}\n'
API = WEB.replace('"web"', '"api"')
DB = """
service "db" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
  update { settle = "0s" }
  volume "data" {
    path = "/data"
    size = "10M"
  }
}
"""


@pytest.fixture
def deployed(namespace: Namespace, start_gateway: StartGateway) -> Namespace:
    """A namespace with two services, one of them with a volume."""
    made = replace(namespace, gateway=start_gateway().url)
    done = made.deploy(WEB + DB)
    assert done.code == 0, done.stdout + done.stderr
    assert done.stderr.startswith(f"plan for {made.name}/mill (new): 2 added\n  + service web\n  + service db\n")
    return made


def _uids(namespace: Namespace) -> dict[str, str]:
    """Return the pods of both services, by uid."""
    return {**namespace.ready_pods("web"), **namespace.ready_pods("db")}


def _shell(namespace: Namespace, script: str) -> tuple[int, str]:
    """Run a script of bash that calls `mill` as people do, and return its code and what was printed."""
    folder = namespace.folder
    program = f"cd {folder}; export PATH={MILL.parent}:$PATH MILL_NAMESPACE={namespace.name}; {script}"
    done = namespace.run("bash", "-c", program, check=False)
    return done.code, done.stdout + done.stderr


def test_no_accident_deletes_anything(deployed: Namespace) -> None:
    before = _uids(deployed)
    (deployed.folder / "empty.mill").write_text("")
    (deployed.folder / "comment.mill").write_text("# x\n")
    (deployed.folder / "table.mill").write_text("service = {}\n")
    (deployed.folder / "empty.yaml").write_text("apiVersion: mill.dev/v1alpha1\nkind: MillDeployment\nspec: {}\n")
    for script in (
        "envsubst < nope.mill | mill deploy -",
        "mill deploy /dev/null",
        "mill deploy empty.mill",
        "mill deploy comment.mill",
        "mill deploy table.mill",
        "mill deploy empty.yaml",
        "printf '# x\\n' | mill deploy - --yes --force",
        "printf '' | mill deploy - --replace-all",
    ):
        code, printed = _shell(deployed, script)
        assert (code, "no service and no task" in printed, "--allow-empty" in printed) == (1, True, True), printed
    other = API.replace("REGISTRY", deployed.registry)
    (deployed.folder / "other.mill").write_text(other)
    for script in ("mill deploy other.mill", "mill deploy - --yes < other.mill", "mill --json deploy other.mill"):
        code, printed = _shell(deployed, script)
        assert code == 1
        assert f"MillDeployment {deployed.name}/mill has 2 services (web, db) and the file has none of them" in printed
        assert "--name NAME" in printed
    assert _shell(deployed, "mill deploy other.mill --name other")[0] == 0
    for name in ("kube-system", "kube-public"):
        code, printed = _shell(deployed, f"mill -n {name} deploy other.mill --force")
        assert (code, "use --system" in printed) == (1, True), printed
    assert deployed.kubectl("get", "milldeployments", "-n", "kube-system", "-o", "name") == ""
    assert _uids(deployed) == before


def test_a_terminal_is_asked_before_a_service_is_removed(deployed: Namespace) -> None:
    before = _uids(deployed)
    (deployed.folder / "web.mill").write_text(WEB.replace("REGISTRY", deployed.registry))
    environment = {**os.environ, "MILL_ADDRESS": deployed.gateway, "MILL_NAMESPACE": deployed.name}

    def on_terminal() -> Terminal:
        return Terminal(MILL, "deploy", "web.mill", columns=120, environment=environment, folder=deployed.folder)

    question = f"remove 1 service (db) from {deployed.name}/mill? [y/N]"
    with on_terminal() as terminal:
        terminal.wait_for(question, 60)
        terminal.press(b"n\n")
        assert terminal.end(60) == 1
        assert terminal.everything.endswith("error: canceled: nothing was changed\n")
    assert _uids(deployed) == before
    with on_terminal() as terminal:
        terminal.wait_for(question, 60)
        terminal.press(b"y\n")
        assert terminal.end(90) == 0
        assert "volume data: kept, with its data" in terminal.everything
    assert _uids(deployed) == {uid: address for uid, address in before.items() if uid in deployed.ready_pods("web")}


def test_a_deployment_is_deleted_on_purpose(deployed: Namespace) -> None:
    done = deployed.mill("delete")
    assert done.code == 0
    assert sorted(done.stdout.splitlines()[:-1]) == ["  db: stopped", "  web: stopped"]
    assert done.stdout.splitlines()[-1].startswith("  deleted (")
    assert done.stderr == (
        f"delete {deployed.name}/mill: 2 services\n  - service web\n  - service db\n"
        "  volume data: kept, with its data\n  secrets of the namespace: kept\n"
    )
    assert deployed.items("pods") == []
    assert [each["metadata"]["name"] for each in deployed.items("persistentvolumeclaims")] == ["data"]
    wait_for("the children's end", lambda: deployed.items("deployments,services") == [])
    assert deployed.mill("delete").code == 1
    again = deployed.mill("deploy", "-", "--allow-empty", stdin="")
    assert (again.code, again.stderr) == (0, f"plan for {deployed.name}/mill: no changes\n")
