"""The runs of tasks."""

from mill_api import names
from mill_api.key import Key
from mill_api.kube.client import KubeClient
from mill_api.kube.reflector import Reflector
from mill_api.kube.resources import JOBS
from mill_gateway.core.seen.jobs import Job, job


class Jobs:
    """The store."""

    def __init__(self, client: KubeClient, namespace: str | None = None) -> None:
        self.reflector: Reflector[Job] = Reflector(
            client,
            JOBS,
            project=job,
            on_change=lambda _old, _new: None,
            group=lambda each: each.key.namespace,
            namespace=namespace,
            labels=f"{names.CHILD_SELECTOR},{names.LABEL_TASK}",
        )

    def get(self, key: Key) -> Job | None:
        """Return a run."""
        return self.reflector.get(key)

    def in_namespace(self, namespace: str) -> list[Job]:
        """Return the runs of a namespace, by name."""
        return sorted(self.reflector.in_group(namespace), key=lambda each: each.key)
