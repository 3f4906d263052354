"""What is refused is refused whole, with the cause, and leaves nothing behind."""

import json

import httpx

from .conftest import GATEWAY, Namespace

INVALID = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.05
  memory = "notasize"
}

service "api" {
  port = 99999
}
"""


def test_an_invalid_file_is_refused_with_all_its_problems_and_nothing_is_created(namespace: Namespace) -> None:
    done = namespace.deploy(INVALID)
    assert done.code == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: invalid config: ")
    assert "notasize" in done.stderr
    assert "image" in done.stderr
    assert namespace.items("milldeployments,deployments,services,pods") == []


def test_the_gateway_answers_400_in_json(namespace: Namespace) -> None:
    answer = httpx.post(f"{GATEWAY}/v1/deploy?namespace={namespace.name}", content=INVALID)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"].startswith("invalid config: ")


def test_without_a_gateway_the_command_line_says_so_and_exits_2(namespace: Namespace) -> None:
    done = namespace.deploy('service "web" {\n  image = "x"\n}\n', "--address", "http://127.0.0.1:9/")
    assert (done.stdout, done.code) == ("", 2)
    told, advice = done.stderr.splitlines()
    assert told == "error: connection refused — is the cluster running? (address: http://127.0.0.1:9)"
    assert "--context" in advice  # there is a kubeconfig


def test_another_server_at_the_address_is_called_that(namespace: Namespace) -> None:
    done = namespace.mill("nodes", "--address", f"http://{namespace.registry}")
    assert (done.stdout, done.code) == ("", 2)
    assert done.stderr.startswith(f"error: no mill gateway answers there (address: http://{namespace.registry}): ")
    assert " answered HTTP 404" in done.stderr.splitlines()[0]


def test_an_error_for_a_program_has_the_code_of_the_gateway_or_the_problems_of_the_file(namespace: Namespace) -> None:
    missing = namespace.mill("secret", "get", "nothing", "--json")
    told = json.loads(missing.stderr)
    assert (told["code"], told["status"], missing.stdout, missing.code) == ("secret_not_found", 404, "", 1)
    refused = namespace.deploy(INVALID, "--json")
    problems = json.loads(refused.stderr)
    assert (problems["code"], refused.stdout, refused.code) == ("invalid_mill_file", "", 1)
    assert [each["path"] for each in problems["diagnostics"]][:1] == ["service.web.memory"]


def test_a_missing_file_is_exit_4(namespace: Namespace) -> None:
    done = namespace.mill("deploy", "-f", "/does/not/exist.mill")
    assert (done.stdout, done.code) == ("", 4)
    assert done.stderr == "error: /does/not/exist.mill: No such file or directory\n"


def test_a_resource_that_no_schema_can_refuse_is_stalled_and_nothing_is_made(namespace: Namespace) -> None:
    """What crosses services is beyond the API server's rules; the operator says it, all at once."""
    namespace.kubectl(
        "apply",
        "-f",
        "-",
        stdin="""
apiVersion: mill.dev/v1alpha1
kind: MillDeployment
metadata: {name: mill}
spec:
  services:
  - {name: web, image: "127.0.0.1:5050/web:1", port: 8080, env: {API: "${service.api.address}"}}
""",
    )
    namespace.kubectl("wait", "milldeployment/mill", "--for=condition=Stalled", "--timeout=60s")
    stalled = namespace.condition("Stalled")
    assert stalled["reason"] == "InvalidSpec"
    assert "unknown service reference 'api'" in stalled["message"]
    assert namespace.items("deployments,services,pods") == []
