"""`mill run` on the real cluster: what the program finds, and its exit code."""

from pathlib import Path

import pytest

from tests.e2e.conftest import MILL, Namespace

SHOP = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02

  env {
    GREETING = "hello"
    TOKEN    = secret(token)
  }

  file "/etc/shop.conf" { content = "from the file" }

  volume "data" {
    path = "/data"
    size = "16Mi"
  }
}
"""

PROGRAM = ("/web", "-no-listen", "-print", "ran in the place of web", "-exit-after", "1s", "-exit-code", "4")


@pytest.fixture
def deployed(namespace: Namespace, tmp_path: Path) -> Namespace:
    path = tmp_path / "shop.mill"
    path.write_text(SHOP.replace("REGISTRY", namespace.registry))
    namespace.mill("secret", "set", "token", stdin="s3cret\n")
    done = namespace.mill("deploy", str(path))
    assert done.code == 0, done
    return namespace


def test_a_program_runs_with_what_a_service_has(deployed: Namespace) -> None:
    run = [str(MILL), "run", "--namespace", deployed.name]
    done = deployed.run(*run, "web", "--env", "MORE=1", "--", *PROGRAM, check=False)  # standard input is at its end
    assert done.code == 4, done
    assert "ran in the place of web\n" in done.stdout
    (pod,) = [each for each in deployed.items("pods") if each["metadata"]["labels"].get("mill.dev/task") == "web-run"]
    (service_pod,) = [
        each for each in deployed.items("pods") if each["metadata"]["labels"].get("mill.dev/service") == "web"
    ]
    container, own = pod["spec"]["containers"][0], service_pod["spec"]["containers"][0]
    mounts = {each["mountPath"] for each in container["volumeMounts"]}
    assert mounts == {each["mountPath"] for each in own["volumeMounts"]} == {"/data", "/etc/shop.conf"}
    assert container["env"] == [*own["env"], {"name": "MORE", "value": "1"}]
    assert pod["spec"]["nodeName"] == service_pod["spec"]["nodeName"]
    assert pod["status"]["phase"] == "Failed"  # it has started, so its files and its volume were mounted
    addresses = [
        address["ip"]
        for subset in deployed.get("endpoints", "web").get("subsets", [])
        for address in subset.get("addresses", [])
    ]
    assert addresses == [service_pod["status"]["podIP"]]
    assert "web-run" in deployed.mill("ps").stdout

    refused = deployed.run(*run, "api", "--", "true", check=False)
    assert (refused.code, 'no service "api"' in refused.stderr) == (1, True), refused
