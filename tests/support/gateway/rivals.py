"""Other writers of a MillDeployment, in tests of the gateway."""

from copy import deepcopy
from itertools import count

from mill_kube.connection import Request
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_objects.json import Json
from tests.support.gateway.served import Served


def change_before_each_patch(served: Served, resource: Json) -> None:
    """Let another writer raise the generation of a MillDeployment before each patch of it arrives."""
    generations = count(2)

    def change(_request: Request) -> None:
        other = deepcopy(resource)
        other["metadata"]["generation"] = next(generations)
        served.api.put(MILL_DEPLOYMENTS, other)

    served.api.add_fault("patch", MILL_DEPLOYMENTS, meanwhile=change)
