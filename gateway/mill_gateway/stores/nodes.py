"""Nodes, and every pod in the cluster as far as it takes something of one."""

from typing import Final

from mill_gateway.objects.nodes import Node, Tenant, project_node, project_tenant
from mill_gateway.stores.subscriptions import Subscriptions
from mill_kube.client import KubeClient
from mill_kube.reflector import Reflector
from mill_kube.resources import NODES, PODS
from mill_objects.key import Key

RUNNING: Final = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed"
"""Field selector of the pods that take something of a node."""


class Nodes:
    """The stores, and who waits for a change on a node."""

    def __init__(self, client: KubeClient) -> None:
        self.reflector: Reflector[Node] = Reflector(
            client, NODES, project=project_node, on_change=lambda _old, _new: None
        )
        self.tenants: Reflector[Tenant] = Reflector(
            client, PODS, project=project_tenant, on_change=self._changed, group=lambda each: each.node, fields=RUNNING
        )
        self.subscriptions: Subscriptions[str] = Subscriptions()
        """By the node's name."""

    def get(self, name: str) -> Node | None:
        """Return a node."""
        return self.reflector.get(Key("", name))

    def all(self) -> list[Node]:
        """Return all nodes, by name."""
        return sorted(self.reflector.all(), key=lambda each: each.key)

    def on(self, name: str) -> list[Tenant]:
        """Return the pods on a node that have not ended, by namespace and name."""
        return sorted(self.tenants.in_group(name), key=lambda each: each.key)

    def _changed(self, old: Tenant | None, new: Tenant | None) -> None:
        for name in {each.node for each in (old, new) if each is not None}:
            self.subscriptions.wake(name)
