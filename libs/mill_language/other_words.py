"""Words of Compose and Kubernetes that people write in a `.mill` file: what is there instead."""

from collections.abc import Collection
from typing import Final

_INSTEAD: Final = {
    "depends_on": ("after", 'write after = ["db"]; a reference to a service needs no word'),
    "entrypoint": ("command", "write `command`; what Compose calls command is `args`"),
    "environment": ("env", 'write env { NAME = "value" }'),
    "envs": ("env", 'write env { NAME = "value" }'),
    "variables": ("env", 'write env { NAME = "value" }'),
    "healthcheck": ("health", 'write health { path = "/healthz" }'),
    "readiness": ("health", 'write health { path = "/healthz" }'),
    "readinessProbe": ("health", 'write health { path = "/healthz" }'),
    "liveness": ("live", "write `live`"),
    "livenessProbe": ("live", "write `live`"),
    "ports": ("port", "write port = 8080"),
    "expose": ("port", "write port = 8080"),
    "volumes": ("volume", 'write volume "data" { … }, once for each'),
    "mounts": ("volume", 'write volume "data" { … }, once for each'),
    "routes": ("route", 'write route "www.example.com" {}, once for each'),
    "ingress": ("route", 'write route "www.example.com" {}'),
    "host": ("route", 'write route "www.example.com" {}'),
    "domain": ("route", 'write route "www.example.com" {}'),
    "configs": ("file", 'write file "/etc/app.conf" { … }, once for each'),
    "files": ("file", 'write file "/etc/app.conf" { … }, once for each'),
    "secrets": ("env", "write NAME = secret(name) in `env`"),
    "resources": ("cpu", "write `cpu` and `memory`"),
    "requests": ("cpu", "write `cpu` and `memory`"),
    "scale": ("replicas", "write replicas = 2"),
    "instances": ("replicas", "write replicas = 2"),
    "stop_grace_period": ("stop", 'write stop = "30s"'),
    "terminationGracePeriodSeconds": ("stop", 'write stop = "30s"'),
    "nodeSelector": ("place", "write place { labels = { … } }"),
    "tolerations": ("place", 'write place { tolerate = ["gpu"] }'),
    "imagePullSecrets": ("pull", "write `pull`"),
}
"""By the word: the name that has to be among those of the block, and what to do."""


def instead_of(word: str, known: Collection[str]) -> str | None:
    """Return what to write instead of a word of another tool; None if the block has nothing like it."""
    name, advice = _INSTEAD.get(word, (None, None))
    return advice if name in known else None
