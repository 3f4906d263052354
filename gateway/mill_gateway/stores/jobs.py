"""The runs of tasks."""

from collections.abc import Callable
from typing import Any

from mill_api import names
from mill_gateway.objects.jobs import Job, project_job
from mill_gateway.stores.subscriptions import Subscriptions
from mill_kube.client import KubeClient
from mill_kube.reflector import Reflector
from mill_kube.resources import JOBS
from mill_objects.fields import identity
from mill_objects.key import Key

OnRun = Callable[[Job | None, Job | None], None]
"""Told of every run that is new or changes, once the first list is there: before and after."""


class Jobs:
    """The store, and who waits for a run."""

    def __init__(
        self, client: KubeClient, namespace: str | None = None, on_run: OnRun = lambda _old, _new: None
    ) -> None:
        self._on_run = on_run
        self.reflector: Reflector[Job] = Reflector(
            client,
            JOBS,
            project=project_job,
            on_change=self._changed,
            group=lambda each: each.key.namespace,
            namespace=namespace,
            labels=f"{names.CHILD_SELECTOR},{names.LABEL_TASK}",
        )
        self.subscriptions: Subscriptions[Key] = Subscriptions()

    def get(self, key: Key) -> Job | None:
        """Return a run."""
        return self.reflector.get(key)

    def in_namespace(self, namespace: str) -> list[Job]:
        """Return the runs of a namespace, by name."""
        return sorted(self.reflector.in_group(namespace), key=lambda each: each.key)

    def put(self, body: dict[str, Any]) -> Job:
        """Note the answer to our own spawn, and tell of the run: to the watch it will not be new any more.

        Raises `Unreadable`.
        """
        before = self.get(identity(body).key)
        made = self.reflector.learn(body)
        if before is None and self.get(made.key) is made:
            self._changed(None, made)
        return made

    def _changed(self, old: Job | None, new: Job | None) -> None:
        if self.reflector.synced.is_set():
            self._on_run(old, new)
        either = new or old
        if either is not None:
            self.subscriptions.wake(either.key)
