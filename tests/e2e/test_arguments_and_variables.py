"""Arguments, references and variables through the real `mill deploy`, as the program in the container gets them."""

from typing import Any

import httpx
import pytest
import yaml

from mill_api.spec import MillDeploymentSpec

from .conftest import Namespace

FILE = """
variable "tag" {}
variable "domain" {}
variable "level" { default = "info" }
variable "replicas" { default = 3 }

env "shared" {
  LOG_LEVEL = "${var.level}"
  DB_HOST   = "${service.web.host}"
  REGION    = "of env shared"
  TIER      = "of env shared"
}

service "web" {
  image    = "REGISTRY/standin:${var.tag}"
  port     = 8080
  replicas = var.replicas
  cpu      = 0.05
  memory   = "32M"
  args     = ["serve", "--url=${service.web.url}", "--tag=$${var.tag}", "${secret(token)}", "${HOME} $(HOME)"]
  use      = ["shared"]
  env_file = ["env/staging.env"]
  env {
    TIER  = "of the service"
    TOKEN = secret(token)
  }
  route "${var.domain}" { path = "/shop" }
}

service "worker" {
  image   = "REGISTRY/standin:${var.tag}"
  port    = 9000
  cpu     = 0.05
  memory  = "32M"
  command = ["/bin/standin", "worker"]
  args    = ["--web=${service.web.address}"]
  use     = ["shared"]
  env {
    WEB_HOST = "${service.web.host}"
    WEB_PORT = "${service.web.port}"
    WEB      = "${service.web.address}"
    WEB_URL  = "${service.web.url}"
  }
}
"""
ENV_FILE = """\
REGION=of env_file
TIER=of env_file
SMTP='mail ${service.web.host}'
"""
TOKEN = "of-this-test"


def _ask(namespace: Namespace, service: str, port: int, what: str) -> Any:
    """Return what the program of the service's only pod answers."""
    (address,) = namespace.ready_pods(service).values()
    return httpx.get(f"http://{address}:{port}/-/{what}", timeout=10).raise_for_status().json()


def _with_defaults(spec: dict[str, Any]) -> MillDeploymentSpec:
    return MillDeploymentSpec.model_validate(spec)


def test_arguments_references_and_variables_reach_the_program(
    namespace: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain, host = f"{namespace.name}.example.com", f"web.{namespace.name}.svc"
    (namespace.folder / "env").mkdir()
    (namespace.folder / "env" / "staging.env").write_text(ENV_FILE)
    (namespace.folder / "live.vars").write_text(f"# of the test\ndomain={domain}\ntag=none\n")
    monkeypatch.setenv("MILL_VAR_level", "debug")
    monkeypatch.setenv("MILL_VAR_domain", "other.example.com")
    assert namespace.mill("secret", "set", "token", stdin=f"{TOKEN}\n").code == 0
    given = ("--vars", str(namespace.folder / "live.vars"), "--var", "tag=1", "--var", "replicas=1")

    done = namespace.deploy(FILE, *given)
    assert done.code == 0, done.stdout + done.stderr

    assert _ask(namespace, "web", 8080, "args") == [
        "/bin/standin",
        "serve",
        f"--url=https://{domain}/shop",
        "--tag=${var.tag}",
        TOKEN,
        "${HOME} $(HOME)",
    ]
    web = _ask(namespace, "web", 8080, "env")
    assert {name: web.get(name) for name in ("LOG_LEVEL", "DB_HOST", "REGION", "TIER", "TOKEN", "SMTP", "PORT")} == {
        "LOG_LEVEL": "debug",
        "DB_HOST": host,
        "REGION": "of env shared",
        "TIER": "of the service",
        "TOKEN": TOKEN,
        "SMTP": "mail ${service.web.host}",
        "PORT": "8080",
    }
    assert _ask(namespace, "worker", 9000, "args") == ["/bin/standin", "worker", f"--web={host}:8080"]
    worker = _ask(namespace, "worker", 9000, "env")
    assert {name: worker.get(name) for name in ("WEB_HOST", "WEB_PORT", "WEB", "WEB_URL", "REGION")} == {
        "WEB_HOST": host,
        "WEB_PORT": "8080",
        "WEB": f"{host}:8080",
        "WEB_URL": f"https://{domain}/shop",
        "REGION": "of env shared",
    }

    # The resource is what `mill render` prints, so that GitOps has the same.
    rendered = namespace.mill("render", str(namespace.folder / "production.mill"), *given)
    in_cluster = namespace.get("milldeployment", "mill")["spec"]
    assert _with_defaults(yaml.safe_load(rendered.stdout)["spec"]) == _with_defaults(in_cluster)
    assert TOKEN not in rendered.stdout
