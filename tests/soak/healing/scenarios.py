"""The faults that heal by themselves: **one table**. A new one is a row here, and its fault a function beside.

The times are within what docs/failure-codes.md promises for each cause: a Secret that is made after a minute, for
instance, fails a rollout on purpose.
"""

from typing import Final

from tests.soak.healing import late, nodes, webhooks
from tests.soak.healing.registries import failing
from tests.soak.healing.scenario import Scenario, plain, second
from tests.soak.healing.starts import LARGE_IMAGES, large_image, slow_start

SCENARIOS: Final[tuple[Scenario, ...]] = (
    Scenario("Secret made late", (5, 8), 10, late.with_secret, late.late_secret),
    Scenario("key of a Secret added late", (5, 8), 10, late.with_secret, late.late_key),
    Scenario("ServiceAccount made late", (10, 20, 30), 15, plain, late.late_account,
             settings={"MILL_SERVICE_ACCOUNT": late.ACCOUNT}),
    Scenario("admission webhook for pods away", (20,), 10, plain, webhooks.away("pods")),
    Scenario("admission webhook for Deployments away", (20,), 10, plain, webhooks.away("deployments", "apps")),
    Scenario("registry answers 429", (45,), 10, plain, registry=failing("429")),
    Scenario("registry answers 500", (45,), 10, plain, registry=failing("500")),
    Scenario("registry resets connections", (45,), 10, plain, registry=failing("reset")),
    Scenario("registry does not answer", (45,), 10, plain, registry=failing("slow")),
    Scenario("program ready after 50 s, with `health { start }`", (50,), 15, slow_start),
    Scenario("pull of an image of 250 MB", (0,), 5 * len(LARGE_IMAGES), large_image),
    Scenario("volume made late by a slow provisioner", (45, 75), 10, late.with_volume, late.slow_provisioner),
    Scenario("PersistentVolume made late", (8, 15), 10, late.with_volume, late.late_volume),
    Scenario("pod evicted by a drain", (2, 8), 15, plain, nodes.evicted_by_api),
    Scenario("pod evicted by the kubelet", (0,), 10, nodes.fills_its_disk_once, nodes.first_pod_fills),
    Scenario("node cordoned", (60,), 20, second, nodes.cordoned, before=plain, is_of_node=True, group_size=20),
    Scenario("kubelet restarted again and again", (20,), 15, second, nodes.kubelet_restarted, before=plain,
             is_of_node=True, group_size=15),
    Scenario("container runtime restarted again and again", (20,), 15, plain, nodes.runtime_restarted,
             is_of_node=True, group_size=15),
    Scenario("container runtime slow: runs 4% of the time", (60,), 10, plain, nodes.slow_runtime,
             is_of_node=True, group_size=10),
    Scenario("container runtime stalled", (150,), 5, plain, nodes.stalled_runtime, is_of_node=True),
)  # fmt: skip
