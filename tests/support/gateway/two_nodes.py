"""Two nodes, one of which is not ready, and a pod on them that is not Mill's."""

from tests.support.gateway.objects import node, pod

NODES = (node("a", cpu="4", memory="8Gi"), node("b", cpu="500m", memory="1Gi", ready=False))
FOREIGN = {**pod("x", namespace="kube-system", node="b", cpu="1", memory="2Gi")}
FOREIGN["metadata"]["labels"] = {}
