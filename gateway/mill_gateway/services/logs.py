"""Logs: which pods a name stands for."""

from collections.abc import Callable
from dataclasses import dataclass

from mill_gateway.objects.pods import Pod, Program
from mill_gateway.stores import Store, Stores
from mill_objects.key import Key


@dataclass(frozen=True, slots=True)
class LogSelection:
    """The pods whose logs are read."""

    programs: tuple[Program, ...]
    """What their pods belong to."""
    includes: Callable[[Pod], bool] = lambda _: True
    is_complete: Callable[[], bool] = lambda: False
    """Whether no other pod can be added."""
    run: Key | None = None
    """The run that they belong to, whose end ends the stream."""
    pod: str | None = None
    """Name of the one pod that is read; None: pods may be added, and access is checked for the whole namespace."""

    def pods(self, store: Store[Pod]) -> list[Pod]:
        """Return the pods that exist, oldest first."""
        found = [pod for program in self.programs for pod in store.in_group(program)]
        return sorted(filter(self.includes, found), key=lambda each: (each.created_at, each.key))


class Logs:
    """Lookup of what a client names."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def select(self, namespace: str, name: str) -> LogSelection:
        """Return the pods of a run, a replica, a service or a task; of a service and a task that share the name.

        Access is checked for this selection, and exactly it is read: nothing is looked up again in between.
        """
        stores = self._stores
        run, pod = stores.jobs.get(Key(namespace, name)), stores.pods.get(Key(namespace, name))
        if run is not None:  # before pods: whoever may create pods may give one the name of a run

            def is_over() -> bool:
                job = stores.jobs.get(run.key)
                return job is None or job.uid != run.uid or job.outcome is not None

            program = Program(namespace, "task", run.task)
            return LogSelection((program,), lambda each: each.run == name, is_over, run.key)
        if pod is not None:
            return LogSelection((pod.program,), lambda each: each.uid == pod.uid, lambda: True, pod=pod.key.name)
        return LogSelection((Program(namespace, "service", name), Program(namespace, "task", name)))

    def may_have_pods(self, namespace: str, name: str) -> bool:
        """Whether a run, a service or a task of this name exists, which may have pods later."""
        if self._stores.jobs.get(Key(namespace, name)) is not None:
            return True
        deployments = self._stores.deployments.in_group(namespace)
        tasks = (task["name"] for each in deployments for task in each.tasks)
        return any(each.has_service(name) for each in deployments) or name in tasks
