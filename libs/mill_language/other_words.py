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
    "cron": ("schedule", 'write schedule = "0 3 * * *"'),
    "time_zone": ("timezone", 'write timezone = "Europe/Berlin"'),
    "timeZone": ("timezone", 'write timezone = "Europe/Berlin"'),
    "concurrencyPolicy": ("overlap", "write overlap = true for Allow; otherwise runs do not overlap"),
    "startingDeadlineSeconds": ("deadline", 'write deadline = "10m"'),
    "nodeSelector": ("place", "write place { labels = { … } }"),
    "tolerations": ("place", 'write place { tolerate = ["gpu"] }'),
    "platform": ("place", 'write place { arch = "arm64" }'),
    "affinity": ("place", "write place { labels = { … } }"),
    "imagePullSecrets": ("pull", "write `pull`"),
    "cpus": ("cpu", "write cpu = 0.5, and `limits` for more than it requests"),
    "mem_limit": ("limits", 'write limits { memory = "1G" }'),
    "gpus": ("gpu", "write gpu = 1"),
    "runAsUser": ("user", "write user = 1000"),
    "run_as_user": ("user", "write user = 1000"),
    "uid": ("user", "write user = 1000"),
    "runAsGroup": ("group", "write group = 1000"),
    "gid": ("group", "write group = 1000"),
    "fsGroup": ("group", "write group = 1000: its volumes belong to that group, too"),
    "readOnlyRootFilesystem": ("read_only_root", "write read_only_root = true"),
    "stopSignal": ("stop_signal", 'write stop_signal = "SIGQUIT"'),
    "kill_signal": ("stop_signal", 'write stop_signal = "SIGQUIT"'),
    "kill_timeout": ("stop", 'write stop = "30s"'),
    "stop_timeout": ("stop", 'write stop = "30s"'),
    "maxSurge": ("surge", 'write surge = "25%"'),
    "minReadySeconds": ("settle", 'write settle = "10s"'),
    "minHealthyTime": ("settle", 'write settle = "10s"'),
    "test": ("failure_threshold", 'write command = ["pg_isready"], or path = "/healthz"'),
    "httpGet": ("failure_threshold", 'write path = "/healthz"'),
    "exec": ("failure_threshold", 'write command = ["pg_isready"]'),
    "tcpSocket": ("failure_threshold", "write port = 9001"),
    "retries": ("failure_threshold", "write failure_threshold = 3"),
    "failureThreshold": ("failure_threshold", "write failure_threshold = 3"),
    "periodSeconds": ("interval", 'write interval = "10s"'),
    "timeoutSeconds": ("timeout", 'write timeout = "5s"'),
    "start_period": ("start", 'write start = "3m"'),
    "initialDelaySeconds": ("start", 'write start = "3m"'),
    "containerPort": ("number", "write number = 9090"),
    "published": ("outside", "write outside = 222"),
    "nodePort": ("outside", "write outside = 222"),
    "source": ("from", 'write from = "conf/app.conf"'),
    "data": ("content", 'write content = "…"'),
}
"""By the word: the name that has to be among those of the block, and what to do."""


_NO_SIDECARS: Final = "mill has no sidecars yet: write another service, or put both programs into the image"
_ONLY_TASKS: Final = "only tasks run on a schedule: write it in a task"
_RELEASE: Final = 'write a task: task "migrate" { image = "…", args = […], before = ["web"] }'
_NO_SHARING: Final = "mill has no shared volumes yet: each belongs to one service, whose replicas it is for"
_NO_ACCOUNTS: Final = "mill has no accounts yet: all pods have the ServiceAccount that `workloads.serviceAccount` names"
_NO_RIGHTS: Final = "mill has none: only `user`, `group` and `read_only_root` can be set"
_NO_PULL_POLICY: Final = "leave it out: nodes pull a digest or tag once, and `latest` at each start"
_NO_LOOPS: Final = "mill has no loops: write the block once for each"
_NO_ADDRESS: Final = "nothing connects to a task: what answers requests is a service"
_NO_CHECKS: Final = "a run has no checks: it fails if it ends with an exit code other than 0, or after its `timeout`"
_NOT_BEFORE_THE_START: Final = "write it in the health block: the live check begins once the program has started"
_NOTHING_UNAVAILABLE: Final = "leave it out: an update takes no pod away before a new one is ready"
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
    "before": _RELEASE,
    "release": _RELEASE,
    "pre_deploy": _RELEASE,
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
    "imagePullPolicy": _NO_PULL_POLICY,
    "image_pull_policy": _NO_PULL_POLICY,
    "pull_policy": _NO_PULL_POLICY,
    "for_each": _NO_LOOPS,
    "dynamic": _NO_LOOPS,
}
_MISSING: Final[Mapping[str, Mapping[str, str]]] = {
    "service": {**_PROGRAM, "schedule": _ONLY_TASKS, "cron": _ONLY_TASKS, "timezone": _ONLY_TASKS},
    "task": {
        **_PROGRAM,
        "port": _NO_ADDRESS,
        "route": _NO_ADDRESS,
        "health": _NO_CHECKS,
        "live": _NO_CHECKS,
        "replicas": "a run has one pod: start as many runs as there is work for",
        "volume": "mill has no volumes of tasks yet: a run keeps nothing, and `file` gives it texts",
    },
    "live": {"start": _NOT_BEFORE_THE_START, "initialDelaySeconds": _NOT_BEFORE_THE_START},
    "update": {"max_unavailable": _NOTHING_UNAVAILABLE, "maxUnavailable": _NOTHING_UNAVAILABLE},
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
