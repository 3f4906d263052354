"""How long the gateway takes to show a thousand services: `python -m tests.bench.reads`.

The whole application in this process, in front of recorded watches: the time is the server's, without a network.
"""

import asyncio
import gc
import time
from typing import Any

from mill_kube.resources import POD_METRICS
from tests.bench.figures import heading, row, spread
from tests.support.gateway.objects import mill_deployment, node, pod
from tests.support.gateway.served import serve

DEPLOYMENTS, SERVICES, REPLICAS = 5, 200, 2
ROUNDS = 40
PATHS = ("/v1/services", "/v1/deployments", "/v1/status", "/v1/nodes", "/v1/metrics")


def deployment(number: int) -> dict[str, Any]:
    """Return a MillDeployment of 200 services that are healthy."""
    names = [f"s{number}-{each}" for each in range(SERVICES)]
    services = [{"name": each, "image": "registry.example/web:1", "port": 8080, "replicas": REPLICAS} for each in names]
    states = [
        {"name": each, "state": "Healthy", "replicas": {"desired": REPLICAS, "healthy": REPLICAS}, "template": "aaaa"}
        for each in names
    ]
    return mill_deployment(*services, name=f"d{number}", status={"services": states})


def usage(made: dict[str, Any]) -> dict[str, Any]:
    """Return the report of a metrics server on a pod."""
    return {"metadata": made["metadata"], "containers": [{"usage": {"cpu": "250m", "memory": "64Mi"}}]}


async def main() -> None:
    """Measure."""
    deployments = [deployment(number) for number in range(DEPLOYMENTS)]
    pods = [
        pod(service["name"], str(replica), deployment=each["metadata"]["name"], node=f"node-{replica}")
        for each in deployments
        for service in each["spec"]["services"]
        for replica in range(REPLICAS)
    ]
    async with serve(*deployments, *pods, *(node(f"node-{each}") for each in range(REPLICAS))) as served:
        served.api.add_fault("list", POD_METRICS, answer={"items": [usage(each) for each in pods]})
        gc.freeze()
        heading(f"{len(pods) // REPLICAS} services of {REPLICAS} replicas, milliseconds", "median", "p95", "p99", "max")
        for path in PATHS:
            times = []
            for _ in range(ROUNDS):
                started = time.monotonic()
                answer = await served.http.get(path)
                times.append((time.monotonic() - started) * 1000)
                assert answer.status_code == 200
                assert path != "/v1/services" or answer.text.count('"healthy",') == len(pods)
            row(f"GET {path} ({len(answer.content) / 1024:.0f} KiB)", *spread(times))


if __name__ == "__main__":
    asyncio.run(main())
