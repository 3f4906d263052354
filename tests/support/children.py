"""Child objects as the operator observes them."""

from mill_objects.key import Key
from mill_operator.core.observed.children import ObservedChild
from tests.support.recordings import CREATED

OBSERVED = ObservedChild(
    kind="Deployment",
    key=Key("shop", "web"),
    uid="uid-1",
    resource_version="1",
    deployment="mill",
    service="web",
    created=CREATED,
    owner_uid="parent",
    owner="MillDeployment mill",
    applied="hash-1",
    revision="1",
    terminating=False,
    replicas=1,
    available=0,
    refusal="",
)
