"""Account by account: what somebody may do through the gateway is exactly what Kubernetes lets that account do."""

import base64
import json
import socket
import ssl

import httpx
import pytest
import yaml

from mill_api import names
from tests.e2e.conftest import Namespace, new_namespace, wait_for
from tests.e2e.gateway.conftest import StartGateway, start_gateway
from tests.e2e.gateway.process import GatewayProcess

from .accounts import DEPLOYMENTS, Account, Rule, account

__all__ = ["start_gateway"]

WEB = 'service "web" {\n  image = "REGISTRY/web:1"\n  cpu   = 0.02\n}\n'
BROKEN = WEB.replace("web:1", "web:missing")
TASK = 'task "backup" {\n  image = "REGISTRY/web:1"\n}\n'


@pytest.fixture
def gateway(start_gateway: StartGateway) -> GatewayProcess:
    return start_gateway(MILL_KUBERNETES_TOKENS="on")


def _deploy(client: httpx.Client, namespace: Namespace, text: str = WEB, **query: str) -> httpx.Response:
    return client.post("/v1/deploy", params=query, content=text.replace("REGISTRY", namespace.registry))


def _image(namespace: Namespace) -> str:
    services = namespace.get("milldeployment", "mill").get("spec", {}).get("services", [])
    return services[0]["image"].rpartition("/")[2] if services else ""


@pytest.mark.parametrize(
    ("verbs", "exists", "status", "image"),
    [
        (["create"], False, 200, "web:2"),
        (["create"], True, 403, "web:1"),
        (["patch"], False, 403, ""),
        (["patch"], True, 200, "web:2"),
        (["get", "list"], True, 403, "web:1"),
    ],
)
def test_a_deploy_needs_the_right_for_what_it_does(
    namespace: Namespace, gateway: GatewayProcess, verbs: list[str], exists: bool, status: int, image: str
) -> None:
    if exists:
        assert namespace.deploy(WEB).code == 0
    caller = account(namespace, "caller", Rule(DEPLOYMENTS, verbs))
    with caller.client(gateway) as client:
        answer = _deploy(client, namespace, WEB.replace("web:1", "web:2"))
    assert answer.status_code == status
    assert _image(namespace) == image


class SlowDeploy:
    """A deploy whose body stops after its first byte until the test goes on."""

    def __init__(self, gateway: GatewayProcess, caller: Account, text: str) -> None:
        self._body = text.replace("REGISTRY", caller.namespace.registry).encode()
        self._connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=30)
        head = (
            f"POST /v1/deploy?namespace={caller.namespace.name} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {caller.token()}\r\nContent-Length: {len(self._body)}\r\nConnection: close\r\n\r\n"
        )
        self._connection.sendall(head.encode() + self._body[:1])

    def finish(self) -> int:
        """Send the rest; return the answer's status."""
        with self._connection:
            self._connection.sendall(self._body[1:])
            return int(self._connection.recv(4096).split()[1])


def test_the_right_counts_at_the_moment_of_the_write(namespace: Namespace, gateway: GatewayProcess) -> None:
    creator = account(namespace, "creator", Rule(DEPLOYMENTS, ["create"]))
    begun = SlowDeploy(gateway, creator, WEB.replace("web:1", "web:2"))
    assert namespace.deploy(WEB).code == 0
    assert begun.finish() == 403
    assert _image(namespace) == "web:1"

    patcher = account(namespace, "patcher", Rule(DEPLOYMENTS, ["patch"]))
    begun = SlowDeploy(gateway, patcher, WEB)
    namespace.kubectl("delete", "milldeployment", "mill", "--timeout=60s")
    assert begun.finish() == 403
    assert _image(namespace) == ""


def test_details_of_a_rollout_are_for_who_may_read_it(namespace: Namespace, gateway: GatewayProcess) -> None:
    creator = account(namespace, "creator", Rule(DEPLOYMENTS, ["create"]))
    with creator.client(gateway) as client:
        assert _deploy(client, namespace, BROKEN, detail="full").status_code == 403
        assert _image(namespace) == ""
        answer = _deploy(client, namespace, BROKEN)
        assert answer.status_code == 200
        assert '"reason": "image pull failed: tag not found"' in answer.text
        assert "evidence" not in answer.text
        assert client.get("/v1/deployments/mill/events").status_code == 403


FOREIGN = {
    "apiVersion": "batch/v1",
    "kind": "CronJob",
    "metadata": {"name": "backup", "labels": {"app.kubernetes.io/managed-by": "mill"}},
    "spec": {
        "schedule": "0 0 31 2 *",
        "suspend": True,
        "jobTemplate": {
            "spec": {
                "template": {
                    "spec": {
                        "restartPolicy": "Never",
                        "hostNetwork": True,
                        "containers": [{"name": "backup", "image": "web:1", "securityContext": {"privileged": True}}],
                    }
                }
            }
        },
    },
}


def test_only_tasks_of_a_milldeployment_are_spawned(namespace: Namespace, start_gateway: StartGateway) -> None:
    gateway = start_gateway(MILL_ADMIN_TOKEN="of-this-namespace")
    namespace.kubectl("apply", "-f", "-", stdin=json.dumps(FOREIGN))
    where, token = {"namespace": namespace.name}, {"Authorization": "Bearer of-this-namespace"}
    with gateway.client(headers=token, params=where) as client:
        wish = {"task": "backup", "env": {"LD_PRELOAD": "/tmp/evil.so"}}
        answer = client.post("/v1/tasks/spawn", json=wish)
        assert (answer.status_code, answer.json()["error"]) == (404, "task template not found")
        assert namespace.items("jobs") == []
        namespace.kubectl("delete", "cronjob", "backup")
        assert namespace.deploy(TASK).code == 0
        wait_for("the task", lambda: namespace.get("cronjob", "backup"))
        assert client.post("/v1/tasks/spawn", json=wish).status_code == 200
        assert len(namespace.items("jobs")) == 1


def test_a_pod_that_is_named_like_a_run_opens_no_log_of_the_run(namespace: Namespace, gateway: GatewayProcess) -> None:
    assert (
        namespace.deploy(TASK.replace("}", '  command = ["/web", "-print", "of the run", "-no-listen"]\n}')).code == 0
    )
    wait_for("the task", lambda: namespace.get("cronjob", "backup"))
    spawned = namespace.mill("spawn", "backup")
    assert spawned.code == 0, spawned
    (run,) = [each["metadata"]["name"] for each in namespace.items("jobs")]
    labels = {names.LABEL_MANAGED_BY: names.MANAGED_BY, names.LABEL_DEPLOYMENT: "mill"}
    decoy = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": run, "labels": labels},
        "spec": {"containers": [{"name": "web", "image": f"{namespace.registry}/web:1"}]},
    }
    namespace.kubectl("apply", "-f", "-", stdin=json.dumps(decoy))
    reader = account(namespace, "reader", Rule("pods/log", ["get"], [run]), Rule("pods", ["create"]))
    with reader.client(gateway) as client:
        answer = client.get(f"/v1/logs/{run}", params={"follow": "false"})
    assert "of the run" not in answer.text
    everybody = account(namespace, "everybody", Rule("pods/log", ["get"]))
    with everybody.client(gateway) as client:
        assert "of the run" in client.get(f"/v1/logs/{run}", params={"follow": "false"}).text


def test_tokens_for_the_audience_are_good_for_nothing_else(namespace: Namespace, start_gateway: StartGateway) -> None:
    both = start_gateway(MILL_KUBERNETES_TOKENS="on")
    strict = start_gateway(MILL_KUBERNETES_TOKENS="on", MILL_API_SERVER_TOKENS="off")
    reader = account(namespace, "reader", Rule(DEPLOYMENTS, ["get", "list"]))
    tokens = {
        "mill": reader.token("--audience", "mill"),
        "API server": reader.token(),
        "vault": reader.token("--audience", "vault"),
    }

    def statuses(gateway: GatewayProcess) -> dict[str, int]:
        path = f"/v1/deployments?namespace={namespace.name}"
        asked = {name: gateway.get(path, {"Authorization": f"Bearer {token}"}) for name, token in tokens.items()}
        return {name: answer.status_code for name, answer in asked.items()}

    assert statuses(both) == {"mill": 200, "API server": 200, "vault": 401}
    assert statuses(strict) == {"mill": 200, "API server": 401, "vault": 401}
    refused = strict.get("/v1/deployments", {"Authorization": f"Bearer {tokens['API server']}"})
    assert "kubectl create token SERVICEACCOUNT --audience mill" in refused.json()["error"]

    assert _at_the_api_server(namespace, tokens["API server"]) == 200
    assert _at_the_api_server(namespace, tokens["mill"]) == 401
    for gateway in (both, strict):
        assert not any(token in gateway.log for token in tokens.values())


def _at_the_api_server(namespace: Namespace, token: str) -> int:
    """Ask the API server itself for what the account may read, with nothing but a token."""
    known = yaml.safe_load(namespace.cluster.kubeconfig.read_text())["clusters"][0]["cluster"]
    context = ssl.create_default_context(cadata=base64.b64decode(known["certificate-authority-data"]).decode())
    path = f"/apis/mill.dev/v1alpha1/namespaces/{namespace.name}/milldeployments"
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{known['server']}{path}", headers=headers, verify=context, timeout=30).status_code


def test_another_namespace_is_another_matter(namespace: Namespace, gateway: GatewayProcess) -> None:
    caller = account(namespace, "caller", Rule(DEPLOYMENTS, ["create", "patch", "get", "list"]))
    with new_namespace(namespace.cluster, namespace.folder) as other, caller.client(gateway) as client:
        answer = client.post("/v1/deploy", params={"namespace": other.name}, content=WEB)
        assert answer.status_code == 403
        assert client.get("/v1/deployments", params={"namespace": other.name}).status_code == 403
