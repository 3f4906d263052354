"""Index of the pods that mount a volume."""

from mill_gateway.objects.pods import Pod
from mill_objects.key import Key


class Mounts:
    """Pods by the claims that they mount. Its `update` is the listener of the store of pods."""

    def __init__(self) -> None:
        self._pods: dict[Key, dict[Key, Pod]] = {}

    def of(self, claim: Key) -> list[Pod]:
        """Return the pods of any service that mount a volume, by name; ended ones included."""
        return sorted(self._pods.get(claim, {}).values(), key=lambda each: each.key)

    def update(self, old: Pod | None, new: Pod | None) -> None:
        """Replace what the index has of a pod."""
        if old is not None:
            for claim in old.claims:
                key = Key(old.key.namespace, claim)
                pods = self._pods.get(key, {})
                pods.pop(old.key, None)
                if not pods:
                    self._pods.pop(key, None)
        if new is not None:
            for claim in new.claims:
                self._pods.setdefault(Key(new.key.namespace, claim), {})[new.key] = new

    def __len__(self) -> int:
        """Return how many volumes are mounted."""
        return len(self._pods)
