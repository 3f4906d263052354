"""Words that people expect in a `.mill` file: what is there instead, or that there is nothing like it yet."""

from collections.abc import Collection, Mapping
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
    "liveness": ("live", 'write live { path = "/alive" }'),
    "livenessProbe": ("live", 'write live { path = "/alive" }'),
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
    "secret": ("env", "write NAME = secret(name) in `env`"),
    "scale": ("replicas", "write replicas = 2; without it an autoscaler of yours may change the number"),
    "count": ("replicas", "write replicas = 2"),
    "instances": ("replicas", "write replicas = 2"),
    "stop_grace_period": ("stop", 'write stop = "30s"'),
    "terminationGracePeriodSeconds": ("stop", 'write stop = "30s"'),
    "nodeSelector": ("place", "write place { labels = { … } }"),
    "tolerations": ("place", 'write place { tolerate = ["gpu"] }'),
    "imagePullSecrets": ("pull", "write `pull`"),
}
"""By the word: the name that has to be among those of the block, and what to do."""


_NO_SIDECARS: Final = "mill has no sidecars yet: write another service, or put both programs into the image"
_NO_SCHEDULES: Final = "mill has no schedules yet: let a CronJob start runs, as docs/tasks.md shows"
_NO_RELEASES: Final = (
    "mill runs no task by itself yet: run `mill spawn TASK -f FILE --wait` before `mill deploy`, as docs/how-to.md "
    "shows"
)
_NO_SHARING: Final = "mill has no shared volumes yet: each belongs to one service, whose replicas it is for"
_NO_ACCOUNTS: Final = "mill has no accounts yet: all pods have the ServiceAccount that `workloads.serviceAccount` names"
_NO_RIGHTS: Final = "mill has none: only `user`, `group` and `read_only_root` can be set"
_BY_ITSELF: Final = "leave it out: services reach one another by the names of their blocks"
_PROGRAM: Final[Mapping[str, str]] = {
    "patch": "mill has no patch yet: docs/convert.md says what it has, and what stays an object of your own beside it",
    "account": _NO_ACCOUNTS,
    "service_account": _NO_ACCOUNTS,
    "serviceAccountName": _NO_ACCOUNTS,
    "sidecar": _NO_SIDECARS,
    "init": _NO_SIDECARS,
    "initContainers": _NO_SIDECARS,
    "containers": _NO_SIDECARS,
    "schedule": _NO_SCHEDULES,
    "cron": _NO_SCHEDULES,
    "timezone": _NO_SCHEDULES,
    "before": _NO_RELEASES,
    "release": _NO_RELEASES,
    "privileged": _NO_RIGHTS,
    "cap_add": _NO_RIGHTS,
    "capabilities": _NO_RIGHTS,
    "securityContext": _NO_RIGHTS,
    "security_context": _NO_RIGHTS,
    "networks": _BY_ITSELF,
    "container_name": _BY_ITSELF,
    "hostname": _BY_ITSELF,
    "restart": "leave it out: a program of a service that ends is started again",
    "build": "build the image first, and write its name as `image`",
}
_MISSING: Final[Mapping[str, Mapping[str, str]]] = {
    "service": _PROGRAM,
    "task": _PROGRAM,
    "volume": {
        "shared": _NO_SHARING,
        "claim": _NO_SHARING,
        "read_only": "mill has none: a program can write to its volumes",
        "memory": "mill has no volumes in memory yet: `ephemeral = true` is on the disk of the node",
    },
    "top level": {
        "volume": "write it in the service that has it",
        "locals": 'write variable "name" { default = "…" }, once for each',
    },
}
"""By the kind of block and the word: what to do where there is no such thing."""


def instead_of(word: str, known: Collection[str]) -> str | None:
    """Return what to write instead of a word of another tool; None if the block has nothing like it."""
    name, advice = _INSTEAD.get(word, (None, None))
    return advice if name in known else None


def missing(word: str, shape: str) -> str | None:
    """Return what to do about a word that people know, and for which a kind of block has nothing; None for others."""
    return _MISSING.get(shape, {}).get(word)
