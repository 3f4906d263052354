"""What a deletion removes and keeps, and its events."""

from collections.abc import Callable, Iterator

from pydantic import BaseModel, Field

from mill_api.events import END, Event, qualified_id
from mill_api.spec import MillDeploymentSpec
from mill_gateway.core.difference import volumes_left
from mill_gateway.core.patches import read_spec
from mill_gateway.objects.deployments import Deployment
from mill_gateway.objects.pods import Program


class Deletion(BaseModel):
    """The answer to a dry run: what a deletion removes, and what it keeps."""

    name: str
    namespace: str
    services: list[str] = Field(description="Services that are removed.")
    tasks: list[str] = Field(description="Tasks that are removed, with their runs.")
    volumes_kept: list[str] = Field(description="Persistent volumes. They stay, with their data.")


def view_deletion(deployment: Deployment) -> Deletion:
    """Return what the deletion of a resource would do."""
    return Deletion(
        name=deployment.key.name,
        namespace=deployment.key.namespace,
        services=[str(each["name"]) for each in deployment.services],
        tasks=[str(each["name"]) for each in deployment.tasks],
        volumes_kept=volumes_left(read_spec(deployment.spec), MillDeploymentSpec()),
    )


def programs_of(deployment: Deployment) -> list[Program]:
    """Return the services and tasks of a resource, those of its status included: their pods may still end."""
    namespace = deployment.key.namespace
    services = [str(each["name"]) for each in deployment.services]
    services += [each.name for each in deployment.status.services]
    tasks = [str(each["name"]) for each in deployment.tasks]
    return [
        *(Program(namespace, "service", name) for name in dict.fromkeys(services)),
        *(Program(namespace, "task", name) for name in dict.fromkeys(tasks)),
    ]


class DeletionProgress:
    """The events of one deletion, in order: each service that has no pods any more, then the end."""

    def __init__(self, deleted: Deployment, started: float) -> None:
        """`started` is a moment in seconds."""
        self._deleted = deleted
        self._prefix = qualified_id(deleted.uid, "delete")
        self._started = started
        self._left = programs_of(deleted)
        self._seq = 0
        self.over = False

    def observe(self, current: Deployment | None, has_pods: Callable[[Program], bool], now: float) -> Iterator[Event]:
        """Yield the events that are new. `current` is the resource of the name as it is now, if there is one."""
        if current is not None and current.uid != self._deleted.uid:
            yield self._event("failed", {"reason": f"{self._deleted.key} was created again meanwhile"})
            yield self._end(now, success=False)
            return
        if current is not None:
            return
        for program in [each for each in self._left if not has_pods(each)]:
            self._left.remove(program)
            if program.kind == "service":
                yield self._event("progress", {"service": program.name, "phase": "stopped"})
        if not self._left:
            yield self._end(now, success=True)

    def _event(self, name: str, data: dict[str, object]) -> Event:
        self._seq += 1
        return Event(self._prefix, self._seq, name, data)

    def _end(self, now: float, *, success: bool) -> Event:
        self.over = True
        return Event(self._prefix, END, "done", {"elapsed": round(now - self._started, 1), "success": success})
