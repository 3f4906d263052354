"""A client of the original mill works unchanged: it sends what that one sends, and reads answers as strictly.

Every field that the original reads must be there and of the right kind: whole numbers are no floats, and only what may
be null is null. What is new is passed over. Streams are read by the names and fields that it knows.
"""

import json
from typing import Annotated, Any

import httpx
import pytest
from httpx_sse import connect_sse
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from tests.e2e.conftest import Namespace, wait_for
from tests.e2e.seed import NODE
from tests.support import server_sent

FILE = """
service "web" {
  image   = "REGISTRY/web:1"
  port    = 8080
  cpu     = 0.02
  command = ["/web", "-print", "listening"]
  env { URL = "${secret(db.url)}" }
  volume "data" {
    path = "/data"
    size = "10M"
  }
}
service "broken" {
  image = "REGISTRY/web:missing"
  port  = 8080
  cpu   = 0.02
}
task "coop-agent" {
  image = "REGISTRY/web:1"
  cpu   = 0.02
}
"""
Float = Annotated[float, Field(strict=True)]
"""A whole number will do as well."""


class Strict(BaseModel):
    """An answer as the original client reads it."""

    model_config = ConfigDict(strict=True, extra="ignore")


class Status(Strict):
    node_count: int
    service_count: int
    task_count: int
    cpu_total: Float
    cpu_available: Float
    memory_total_bytes: int
    memory_available_bytes: int


class Node(Strict):
    id: str
    address: str
    status: str
    cpu_total: Float
    cpu_available: Float
    memory_total_bytes: int
    memory_available_bytes: int
    alloc_count: int


class Allocation(Strict):
    id: str
    node: str
    status: str
    address: str | None
    cpu: Float
    memory: int
    started_at: str | None


class Replicas(Strict):
    desired: int
    healthy: int


class Service(Strict):
    name: str
    image: str
    replicas: Replicas
    allocations: list[Allocation]


class Task(Strict):
    id: str
    name: str
    node: str
    status: str
    address: str | None
    cpu: Float
    memory: int


class Spawned(Strict):
    id: str
    node: str
    status: str
    address: str | None


class Volume(Strict):
    name: str
    state: str
    node: str | None
    cloud_id: str


class Named(Strict):
    name: str


class Secret(Strict):
    name: str
    value: str


@pytest.fixture
def client(http: httpx.Client, namespace: Namespace) -> httpx.Client:
    """The original knows no namespaces: its requests are about the gateway's own, here by a parameter of the client."""
    http.params = httpx.QueryParams(namespace=namespace.name)
    return http


def _stream(client: httpx.Client, method: str, path: str, **request: Any) -> list[tuple[str, dict[str, Any]]]:
    with connect_sse(client, method, path, **request) as stream:
        assert stream.response.is_success
        return [(each.event, json.loads(each.data)) for each in server_sent.events(stream)]


def _read(client: httpx.Client, path: str, kind: Any) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return TypeAdapter(kind).validate_json(answer.content)


def test_everything_that_the_original_client_does(client: httpx.Client, namespace: Namespace) -> None:
    assert client.put("/v1/secrets/db.url", json={"value": "postgres://db"}).status_code == 204
    assert [each.name for each in _read(client, "/v1/secrets", list[Named])] == ["db.url"]
    assert _read(client, "/v1/secrets/db.url", Secret).value == "postgres://db"

    content = FILE.replace("REGISTRY", namespace.registry)
    events = _stream(client, "POST", "/v1/deploy", content=content, headers={"Content-Type": "text/plain"})
    phases = [data["phase"] for name, data in events if name == "progress" and data["service"] == "web"]
    assert phases == ["scheduled", "healthy"]
    assert [data for name, data in events if name == "failed"] == [
        {"service": "broken", "reason": "image pull failed: tag not found"}
    ]
    name, data = events[-1]
    assert (name, type(data["elapsed"]), data["success"]) == ("done", float, False)

    status = _read(client, "/v1/status", Status)
    assert (status.service_count, status.task_count) == (2, 0)
    services = {each.name: each for each in _read(client, "/v1/services", list[Service])}
    assert [each.status for each in services["web"].allocations] == ["healthy"]
    assert {each.status for each in services["broken"].allocations} <= {"failed", "pulling"}
    assert NODE in [each.id for each in _read(client, "/v1/nodes", list[Node])]
    (volume,) = _read(client, "/v1/volumes", list[Volume])
    assert (volume.state, volume.node) == ("attached", NODE)

    wanted = {"task": "coop-agent", "image": None, "cpu": 0.25, "memory": "256M", "env": {"K": "V"}, "timeout": "30m"}
    spawned = Spawned.model_validate_json(client.post("/v1/tasks/spawn", json=wanted).content)
    assert (spawned.status, bool(spawned.id), bool(spawned.node)) == ("running", True, True)
    assert [each.id for each in _read(client, "/v1/tasks", list[Task])] == [spawned.id]
    assert client.delete(f"/v1/tasks/{spawned.id}").status_code == 204

    with connect_sse(client, "GET", "/v1/logs/web?tail=10") as logs:  # follows, as the original always does
        first = json.loads(next(server_sent.events(logs)).data)
    assert {"line", "stream", "ts"} <= set(first)

    restarted = _stream(client, "POST", "/v1/restart/web")
    assert [data.get("phase") for _, data in restarted] == ["scheduled", "healthy", None], "nothing of the other one"
    assert (restarted[-1][0], restarted[-1][1]["success"]) == ("done", True)

    _refuse_accidents(client)
    assert _stream(client, "POST", "/v1/deploy", params={"allowEmpty": "true"}, content="")[-1][1]["success"] is True
    wait_for("the volume to be free", lambda: _read(client, "/v1/volumes", list[Volume])[0].state == "ready")
    assert client.delete("/v1/volumes/data").status_code == 204
    assert client.delete("/v1/secrets/db.url").status_code == 204


def _refuse_accidents(client: httpx.Client) -> None:
    """Files that the original would have deployed: they remove everything, and the answer says how that is meant."""
    before = {each.name for each in _read(client, "/v1/services", list[Service])}
    other = 'service "other" {\n  image = "x"\n  port = 1\n}\n'
    for content, status, parameter in (
        ("", 400, "allowEmpty"),
        ("# later\n", 400, "allowEmpty"),
        (other, 409, "replaceAll"),
    ):
        refused = client.post("/v1/deploy", content=content, headers={"Content-Type": "text/plain"})
        assert (refused.status_code, f"?{parameter}=true" in refused.json()["error"]) == (status, True)
    assert {each.name for each in _read(client, "/v1/services", list[Service])} == before


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("POST", "/v1/restart/nope", 404, "service not found"),
        ("GET", "/v1/secrets/nope", 404, "secret not found"),
        ("DELETE", "/v1/secrets/nope", 404, "secret not found"),
        ("DELETE", "/v1/volumes/nope", 404, "volume not found"),
        ("GET", "/v1/tasks/nope", 404, "task not found"),
        ("DELETE", "/v1/tasks/nope", 404, "task not found"),
        ("POST", "/v1/nodes/nope/drain", 404, "node not found"),
        ("DELETE", "/v1/nodes/nope", 404, "node not found"),
    ],
)
def test_errors_are_in_the_original_words(
    client: httpx.Client, method: str, path: str, status: int, error: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_file_that_is_refused_is_refused_in_the_original_words(client: httpx.Client) -> None:
    answer = client.post("/v1/deploy", content='service "bad" {\n  image = "x"\n  port = 1\n  memory = "notasize"\n}\n')
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("invalid config: ")
    assert (
        "service.bad.memory: invalid byte size 'notasize': couldn't parse \"notasize\" into a ByteSize"
        in answer.json()["error"]
    )
