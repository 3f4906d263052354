"""Status writes: to the resource that the status describes, and to none that has its name since."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from mill_api.status import MillDeploymentStatus
from mill_kube.errors import ApiError
from mill_kube.resources import EVENTS, MILL_DEPLOYMENTS
from mill_objects.json import Json
from mill_objects.key import Key
from mill_operator.core.internal_errors import internal_error_of
from mill_operator.core.observed.mill_deployments import project_mill_deployment
from mill_operator.core.rollout.internal_error import REPORTED_FAILURES
from mill_operator.core.rollout.status_change import StatusChange
from mill_operator.internal_errors import InternalErrorReporter
from mill_operator.memory import Memory
from mill_operator.publisher import Publisher
from mill_operator.recorder import Recorder
from tests.support.apiserver import ApiServer, InMemoryClient
from tests.support.statuses import status

KEY = Key("shop", "mill")


class Written:
    """The changes that were reported as written."""

    def __init__(self) -> None:
        self.changes: list[StatusChange] = []

    def __call__(self, _: Key, change: StatusChange) -> None:
        self.changes.append(change)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def server() -> ApiServer:
    return ApiServer()


@pytest.fixture
def written() -> Written:
    return Written()


@pytest.fixture
def recorder(server: ApiServer) -> Recorder:
    return Recorder(InMemoryClient(server), now)


@pytest.fixture
def publisher(server: ApiServer, recorder: Recorder, written: Written) -> Publisher:
    return Publisher(InMemoryClient(server), recorder, written)


@pytest.fixture
def create(server: ApiServer) -> Callable[[], Json]:
    def create() -> Json:
        spec = {"services": [{"name": "s1", "image": "web:1", "cpu": "1", "memory": "1M"}]}
        metadata = {"name": KEY.name, "namespace": KEY.namespace, "generation": 1}
        server.put(MILL_DEPLOYMENTS, {"metadata": metadata, "spec": spec})
        return found(server)

    return create


def found(server: ApiServer) -> Json:
    body = server.find(MILL_DEPLOYMENTS, *KEY)
    assert body is not None
    return body


def replace(server: ApiServer, create: Callable[[], Json]) -> Json:
    """Delete the resource, and create another one of its name."""
    server.remove(MILL_DEPLOYMENTS, *KEY)
    return create()


def memory_of(body: Json) -> Memory:
    memory = Memory.of(project_mill_deployment(body))
    memory.status = status()
    return memory


def status_of(body: Json) -> MillDeploymentStatus:
    return MillDeploymentStatus.model_validate(body["status"])


async def test_a_changed_status_is_written_once(
    server: ApiServer, publisher: Publisher, written: Written, create: Callable[[], Json]
) -> None:
    memory = memory_of(create())
    assert await publisher.publish(KEY, memory) is None
    assert await publisher.publish(KEY, memory) is None
    assert status_of(found(server)) == memory.written == status()
    assert len(written.changes) == 1


async def test_a_status_replaces_the_one_before(
    server: ApiServer, publisher: Publisher, create: Callable[[], Json]
) -> None:
    memory = memory_of(create())
    await publisher.flush(KEY, memory)
    memory.status = memory.status.model_copy(update={"rollout": None, "healthy": None})
    await publisher.flush(KEY, memory)
    assert status_of(found(server)) == memory.status


async def test_the_status_of_a_replaced_resource_is_not_written(
    server: ApiServer, publisher: Publisher, recorder: Recorder, written: Written, create: Callable[[], Json]
) -> None:
    memory = memory_of(create())
    replace(server, create)
    assert await publisher.publish(KEY, memory) is None, "nothing to retry"
    await recorder.drain(5)
    assert "status" not in found(server)
    assert (written.changes, server.all(EVENTS)) == ([], [])


async def test_an_internal_error_of_a_replaced_resource_is_not_reported(
    server: ApiServer, recorder: Recorder, written: Written, create: Callable[[], Json]
) -> None:
    resource = project_mill_deployment(create())
    replace(server, create)
    reporter = InternalErrorReporter(InMemoryClient(server), {}, recorder, now, written)
    for _ in range(REPORTED_FAILURES):
        await reporter.failed(resource, internal_error_of(OverflowError()))
    await recorder.drain(5)
    assert "status" not in found(server)
    assert (written.changes, server.all(EVENTS)) == ([], [])


@pytest.mark.parametrize(
    "details",
    [
        pytest.param({"name": KEY.name, "kind": MILL_DEPLOYMENTS.kind}, id="by the schema"),
        pytest.param({}, id="by an admission webhook, in the form of a failed test"),
    ],
)
async def test_a_refused_status_is_an_error(
    server: ApiServer, publisher: Publisher, create: Callable[[], Json], details: Json
) -> None:
    memory = memory_of(create())
    server.add_fault("patch", MILL_DEPLOYMENTS, error=ApiError(422, "Invalid", "status.healthy: too long", details))
    with pytest.raises(ApiError):
        await publisher.publish(KEY, memory)


async def test_the_status_of_a_deleted_resource_is_not_written(
    server: ApiServer, publisher: Publisher, written: Written, create: Callable[[], Json]
) -> None:
    memory = memory_of(create())
    server.remove(MILL_DEPLOYMENTS, *KEY)
    assert await publisher.publish(KEY, memory) is None
    await asyncio.sleep(0)
    assert written.changes == []
