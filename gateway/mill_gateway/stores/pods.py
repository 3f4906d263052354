"""The pods of services and of tasks' runs, who waits for those of which, and the volumes that they mount."""

from mill_api import names
from mill_gateway.objects.pods import Pod, Program, project_pod
from mill_gateway.stores.subscriptions import Subscriptions
from mill_kube.client import KubeClient
from mill_kube.reflector import Reflector
from mill_kube.resources import PODS
from mill_objects.key import Key


class Pods:
    """The store, and who waits for the pods of a service or a task."""

    def __init__(self, client: KubeClient, namespace: str | None = None) -> None:
        self.reflector: Reflector[Pod] = Reflector(
            client,
            PODS,
            project=project_pod,
            on_change=self._changed,
            group=lambda each: each.program,
            namespace=namespace,
            labels=names.CHILD_SELECTOR,
        )
        self.subscriptions: Subscriptions[Program] = Subscriptions()
        self.run_subscriptions: Subscriptions[Key] = Subscriptions()
        """Those who wait for the pod of one run only: a task may have very many at once."""
        self._mounting: dict[Key, dict[Key, Pod]] = {}
        """By the claim that they mount."""

    def get(self, key: Key) -> Pod | None:
        """Return a pod."""
        return self.reflector.get(key)

    def of(self, program: Program) -> list[Pod]:
        """Return the pods of a service or a task, by name."""
        return sorted(self.reflector.in_group(program), key=lambda each: each.key)

    def mounting(self, claim: Key) -> list[Pod]:
        """Return the pods that mount a volume, of whichever service and also when they have ended, by name."""
        return sorted(self._mounting.get(claim, {}).values(), key=lambda each: each.key)

    def _changed(self, old: Pod | None, new: Pod | None) -> None:
        either = new or old
        if either is not None:
            self._mount(old, new)
            self.subscriptions.wake(either.program)
            if either.run is not None:
                self.run_subscriptions.wake(Key(either.key.namespace, either.run))

    def _mount(self, old: Pod | None, new: Pod | None) -> None:
        if old is not None:
            for claim in old.claims:
                key = Key(old.key.namespace, claim)
                pods = self._mounting.get(key, {})
                pods.pop(old.key, None)
                if not pods:
                    self._mounting.pop(key, None)
        if new is not None:
            for claim in new.claims:
                self._mounting.setdefault(Key(new.key.namespace, claim), {})[new.key] = new
