"""Credentials of a private registry: kept by `mill registry`, used by kubelets, and seen by nobody else."""

import json

from .conftest import Namespace, wait_for
from .faulty_registry import PASSWORD, USER, faulty_registry

WEB = """
service "web" {
  image = "FAULTY/private/web:1"
  port  = 8080
  cpu   = 0.02
  pull  = "mill-registries"
}
"""


def test_a_private_image_is_pulled_with_the_credentials(namespace: Namespace) -> None:
    with faulty_registry(namespace.registry) as host:
        text = WEB.replace("FAULTY", host)
        login = ("registry", "login", host, "-u", USER, "--password-stdin")
        assert namespace.mill(*login, stdin="wrong").code == 0
        refused = namespace.deploy(text)
        assert (refused.code, "image pull failed" in refused.stdout) == (1, True)
        done = namespace.mill(*login, stdin=f"{PASSWORD}\n")
        assert (done.code, done.stdout) == (0, "")
        again = namespace.deploy(text)
        assert (again.code, "web: healthy" in again.stdout) == (0, True), again
        listed = namespace.mill("registry", "list", "--json")
        assert json.loads(listed.stdout) == [{"host": host, "username": USER}]
        assert PASSWORD not in json.dumps(namespace.get("md", "mill"))
        assert all(PASSWORD not in each for each in (done.stderr, again.stdout, again.stderr, listed.stdout))
        assert namespace.get("secret", "mill-registries")["type"] == "kubernetes.io/dockerconfigjson"
        assert namespace.mill("registry", "logout", host).code == 0
        wait_for("the end of the credentials", lambda: namespace.mill("registry", "list", "--quiet").stdout == "")
