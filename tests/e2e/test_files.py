"""Files in containers: the program reads them, a changed text is a new version, and the older one keeps its own."""

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
