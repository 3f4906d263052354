"""The MillDeployment that owns child objects: owner reference, labels and selectors."""

from dataclasses import dataclass
from typing import Any

from mill_api import names
from mill_objects.key import Key


@dataclass(frozen=True, slots=True)
class Owner:
    """A MillDeployment, as its child objects refer to it."""

    key: Key
    uid: str

    def reference(self, *, controller: bool) -> dict[str, Any]:
        """Return the owner reference, by which the garbage collector deletes a child after the MillDeployment."""
        reference = {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "name": self.key.name,
            "uid": self.uid,
        }
        return reference | ({"controller": True} if controller else {})

    def labels(self, name: str) -> dict[str, str]:
        """Return the labels of a child. The MillDeployment's own are not among them: Argo CD would prune the child."""
        return {names.LABEL_NAME: name, names.LABEL_PART_OF: self.key.name, **self.pod_labels()}

    def pod_labels(self) -> dict[str, str]:
        """Return the labels of a pod.

        They have no values of common labels that a file can choose: Services and NetworkPolicies of others would select
        the pod by them.
        """
        return {names.LABEL_MANAGED_BY: names.MANAGED_BY, names.LABEL_DEPLOYMENT: self.key.name}

    def selector(self, service: str) -> dict[str, str]:
        """Return the labels that select the pods of a service."""
        return {names.LABEL_DEPLOYMENT: self.key.name, names.LABEL_SERVICE: service}
