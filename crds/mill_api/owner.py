"""The MillDeployment that objects are made for: whose they are, and how they are found."""

from dataclasses import dataclass
from typing import Any

from mill_api import names
from mill_objects.key import Key


@dataclass(frozen=True, slots=True)
class Owner:
    """A MillDeployment, as its objects name it."""

    key: Key
    uid: str

    def reference(self, *, controller: bool) -> dict[str, Any]:
        """Return what makes the garbage collector take an object when the MillDeployment goes."""
        reference = {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "name": self.key.name,
            "uid": self.uid,
        }
        return reference | ({"controller": True} if controller else {})

    def labels(self, name: str) -> dict[str, str]:
        """Return the labels of an object: never the MillDeployment's own, by which Argo CD would prune it."""
        return {
            names.LABEL_NAME: name,
            names.LABEL_PART_OF: self.key.name,
            names.LABEL_MANAGED_BY: names.MANAGED_BY,
            names.LABEL_DEPLOYMENT: self.key.name,
        }

    def selector(self, service: str) -> dict[str, str]:
        """Return the labels by which a service's pods are found."""
        return {names.LABEL_DEPLOYMENT: self.key.name, names.LABEL_SERVICE: service}
