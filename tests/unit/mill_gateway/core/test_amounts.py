"""The resources that a pod requests of its node, as the scheduler counts them."""

from typing import Any

import pytest

from mill_gateway.objects.amounts import Amounts, requested
from mill_objects.json import Json


def _asks(cpu: str, memory: str = "0", **more: Any) -> Json:
    return {"resources": {"requests": {"cpu": cpu, "memory": memory}}, **more}


SIDECAR = _asks("200m", "10M", restartPolicy="Always")


@pytest.mark.parametrize(
    ("spec", "taken"),
    [
        ({"containers": [{}]}, Amounts(0.0, 0)),
        ({"containers": [_asks("1", "1M"), _asks("500m", "2M")]}, Amounts(1.5, 3_000_000)),
        ({"containers": [_asks("1", "9M")], "initContainers": [_asks("2", "1M")]}, Amounts(2.0, 9_000_000)),
        ({"containers": [_asks("1")], "overhead": {"cpu": "250m", "memory": "1M"}}, Amounts(1.25, 1_000_000)),
        ({"containers": [_asks("1", "1M")], "initContainers": [SIDECAR]}, Amounts(1.2, 11_000_000)),
        ({"containers": [_asks("1")], "initContainers": [SIDECAR, _asks("2")]}, Amounts(2.2, 10_000_000)),
        ({"containers": [_asks("1")], "initContainers": [_asks("2"), SIDECAR]}, Amounts(2.0, 10_000_000)),
        ({"containers": [_asks("1", "1M")], "resources": {"requests": {"cpu": "3"}}}, Amounts(3.0, 1_000_000)),
    ],
    ids=[
        "nothing",
        "together",
        "init",
        "overhead",
        "sidecar",
        "init after sidecar",
        "init before sidecar",
        "pod level",
    ],
)
def test_what_a_pod_takes(spec: Json, taken: Amounts) -> None:
    assert requested(spec) == taken
