"""Every MillDeployment as the one watch has it, and who waits for which."""

from typing import Any

from mill_gateway.objects.deployments import Deployment, project_deployment
from mill_gateway.stores.subscriptions import Subscriptions
from mill_kube.client import KubeClient
from mill_kube.reflector import Reflector
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_objects.key import Key


class Deployments:
    """The store, and the streams to wake when something in it changes."""

    def __init__(self, client: KubeClient, namespace: str | None = None) -> None:
        self.reflector: Reflector[Deployment] = Reflector(
            client,
            MILL_DEPLOYMENTS,
            project=project_deployment,
            on_change=self._changed,
            group=lambda each: each.key.namespace,
            namespace=namespace,
        )
        self.subscriptions: Subscriptions[Key] = Subscriptions()

    def get(self, key: Key) -> Deployment | None:
        """Return a deployment."""
        return self.reflector.get(key)

    def in_namespace(self, namespace: str, name: str | None = None) -> list[Deployment]:
        """Return the deployments of a namespace, by name; with a name the one that has it, if any."""
        found = [each for each in self.reflector.in_group(namespace) if name in (None, each.key.name)]
        return sorted(found, key=lambda each: each.key)

    def put(self, body: dict[str, Any]) -> Deployment:
        """Note the answer to our own write, so that its stream need not wait for the watch. Raises `Unreadable`."""
        return self.reflector.learn(body)

    def _changed(self, old: Deployment | None, new: Deployment | None) -> None:
        either = new or old
        if either is not None:
            self.subscriptions.wake(either.key)
