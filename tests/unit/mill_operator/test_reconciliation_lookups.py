"""A reconciliation looks up what a pod's status does not say, and judges once more with the result."""

from mill_kube.resources import NODES
from mill_operator.clock import SteadyClock
from tests.support.reconciling import ReconcilerHarness

NO_MATCH = (
    'rpc error: code = NotFound desc = failed to pull and unpack image "registry.example/web:1": '
    "no match for platform in manifest: not found"
)


async def test_the_reason_names_the_platform_of_the_node() -> None:
    harness = ReconcilerHarness(SteadyClock())
    platform = {"operatingSystem": "linux", "architecture": "riscv64"}
    harness.server.put(NODES, {"metadata": {"name": "node-1"}, "status": {"nodeInfo": platform}})
    harness.pods_fail("ErrImagePull", NO_MATCH)
    harness.change()
    await harness.reconcile()
    assert (harness.service["reason"], harness.service["message"]) == (
        "WrongPlatform",
        "image pull failed: not built for linux/riscv64",
    )
    assert [each.name for each in harness.server.sent("get", NODES)] == ["node-1"]
    await harness.reconcile()
    assert len(harness.server.sent("get", NODES)) == 1, "the result is still fresh"
