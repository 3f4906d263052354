"""The image registry on loopback, from which the nodes pull under the same names that the host pushes to."""

import json
from typing import Final

from hack import paths
from hack.cluster import processes, readiness

ADDRESS: Final = "127.0.0.1:5050"
NAME: Final = "registry"


def start() -> None:
    """Start the registry; what was pushed before `down` is still in it."""
    paths.REGISTRY.mkdir(parents=True, exist_ok=True)
    configuration = paths.CLUSTER / "registry.json"
    document = {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(paths.REGISTRY)}, "delete": {"enabled": True}},
        "http": {"addr": ADDRESS},
    }
    configuration.write_text(json.dumps(document))
    processes.start(processes.Daemon(NAME, ("docker-registry", "serve", str(configuration))))
    processes.wait_until(NAME, answers)


def answers() -> bool:
    """Whether a registry answers at the address."""
    return readiness.answers(f"http://{ADDRESS}/v2/")
