"""Files in containers: the program reads them, a changed text is a new version, and the older one keeps its own."""

import httpx

from .conftest import Namespace, wait_for

WEB = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.05

  file "/etc/shop/app.conf" {
    content = "TEXT ${service.web.address}\\n"
  }
}
"""
SECRET = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.05

  file "/run/secrets/token" { secret = "files.token" }
}
"""
READER = """
service "app" {
  image = "REGISTRY/standin:1"
  port  = 8080
  cpu   = 0.02

  file "/etc/app/app.conf" { content = "self = ${service.app.address}\\n" }
  file "/run/secrets/token" { secret = "files.token" }
}

task "read" {
  image = "REGISTRY/standin:1"
  cpu   = 0.02

  file "/etc/app/task.conf" { content = "for the task" }
}
"""


def _texts(namespace: Namespace) -> dict[str, str]:
    """Return the digest of each ConfigMap of files, by its text."""
    found = [each for each in namespace.items("configmaps") if "mill.dev/files" in each["metadata"].get("labels", {})]
    return {next(iter(each["data"].values())): each["metadata"]["labels"]["mill.dev/files"] for each in found}


def test_a_changed_text_is_a_new_version_and_the_older_one_keeps_its_own(namespace: Namespace) -> None:
    assert namespace.deploy(WEB.replace("TEXT", "one")).code == 0
    first = namespace.ready_pods("web")
    assert namespace.deploy(WEB.replace("TEXT", "two")).code == 0
    assert namespace.ready_pods("web").keys().isdisjoint(first)
    texts = _texts(namespace)
    assert sorted(text.split()[0] for text in texts) == ["one", "two"]
    assert {text.split()[1] for text in texts} == {f"web.{namespace.name}.svc:8080"}
    versions = {each["metadata"]["labels"]["mill.dev/files"] for each in namespace.items("replicasets")}
    assert versions == set(texts.values())


def test_a_file_whose_secret_is_missing_is_reported_and_heals(namespace: Namespace) -> None:
    done = namespace.deploy(SECRET)
    assert done.code == 1
    assert 'web: failed: secret "files.token" not found' in done.stdout
    assert namespace.service("web")["reason"] == "SecretNotFound"
    assert namespace.mill("secret", "set", "files.token", "hunter2-hunter2").code == 0
    wait_for("the service to heal", lambda: namespace.service("web")["state"] == "Healthy", seconds=150)


def test_a_program_reads_its_texts_and_secrets_and_a_task_its_own(namespace: Namespace) -> None:
    assert namespace.mill("secret", "set", "files.token", "hunter2-hunter2").code == 0
    done = namespace.deploy(READER)
    assert done.code == 0, done.stdout + done.stderr
    (address,) = namespace.ready_pods("app").values()

    def read(path: str) -> str:
        return httpx.get(f"http://{address}:8080/-/file", params={"path": path}, timeout=10).text

    assert read("/etc/app/app.conf") == f"self = app.{namespace.name}.svc:8080\n"
    assert read("/run/secrets/token") == "hunter2-hunter2"
    ran = namespace.mill("spawn", "read")  # answered when it runs; it serves until it is stopped
    assert ran.code == 0, ran.stdout + ran.stderr
    (run,) = namespace.items("jobs")
    name = run["metadata"]["name"]
    command = ("standin", "read", "/etc/app/task.conf")
    assert namespace.kubectl("exec", f"job/{name}", "--", *command) == "for the task"
    assert namespace.mill("kill", name).code == 0
    refused = namespace.mill("spawn", "read", "-f", str(namespace.folder / "production.mill"))
    assert refused.code == 1
    assert "task.read.file: a run of a file gets no files with a content" in refused.stdout + refused.stderr
