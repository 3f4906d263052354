"""The causes that are measured: **one table**. A new one is a row here, its image, if it needs one, in `images.py`."""

from typing import Final

from tests.bench.causes.cause import Cause, Json, Space, pod_is_in_trouble, pulled_from, shell, task, web, with_volume
from tests.bench.causes.shown import either, event, evicted, job_failed, pods_refused, unschedulable
from tests.e2e.objects import bound_volume, claim, limit_range, policy, quota

_EATS: Final = "x=a; while true; do x=$x$x; done"
_NO_TOKEN: Final = {"TOKEN": "${secret(bench.token)}"}


def _claimed(namespace: str, service: str, *, path: str = "/tmp", node: str | None = None) -> list[Json]:
    """Return a volume that is bound to the claim of a service."""
    return _owned(service, bound_volume(f"{namespace}-{service}", service, path=path, node=node))


def _owned(service: str, objects: list[Json]) -> list[Json]:
    for each in objects:
        if each["kind"] == "PersistentVolumeClaim":
            each["metadata"]["labels"]["mill.dev/deployment"] = service
    return objects


def _webhook(namespace: str) -> list[Json]:
    """Return a webhook for pods that nothing answers."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    webhook = {
        "name": "away.bench.mill.dev",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "timeoutSeconds": 1,
        "clientConfig": {"url": "https://127.0.0.1:9/"},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "rules": [rule],
    }
    return [
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": namespace},
            "webhooks": [webhook],
        }
    ]


SPACES: Final[dict[str, Space]] = {
    "plain": Space(),
    "keys": Space(lambda _namespace: [_secret()]),
    "credentials": Space(pull_secret="regcred"),
    "quota": Space(lambda _namespace: [quota("small", {"limits.memory": "10M"})]),
    "limits": Space(lambda _namespace: [limit_range("10M")]),
    "policy": Space(lambda namespace: policy(namespace, namespace)),
    "webhook": Space(_webhook),
}


def _secret() -> Json:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mill-secrets"}, "data": {"bench.other": "eA=="}}


CAUSES: Final[tuple[Cause, ...]] = (
    Cause("tag", "tag missing", "TagNotFound", web("web:no-such-tag")),
    Cause("digest", "digest missing", "TagNotFound", web(f"web@sha256:{'0' * 64}")),
    Cause("repository", "repository missing", "TagNotFound", pulled_from("faulty", "empty/web:1")),
    Cause("platform", "not built for the node's platform", "WrongPlatform",
          pulled_from("faulty", "other-platform/web:1")),
    Cause("format", "image format unknown", "ImageFormatUnsupported", pulled_from("faulty", "unknown-format/web:1")),
    Cause("mismatch", "layers do not fit the configuration", "ImageBroken", pulled_from("faulty", "mismatched/web:1"),
          seconds=120),
    Cause("layer", "layer missing", "ImageIncomplete", pulled_from("faulty", "half-pushed/web:1"), seconds=90),
    Cause("unauthorized", "registry denies: 401", "PullDenied", pulled_from("faulty", "unauthorized/web:1"),
          seconds=90),
    Cause("forbidden", "registry denies: 403", "PullDenied", pulled_from("faulty", "forbidden/web:1"), seconds=90),
    Cause("pull-secret", "pull secret missing", "PullSecretNotFound", pulled_from("faulty", "unauthorized/web:2"),
          space="credentials", seconds=90),
    Cause("rate", "registry answers 429", "PullRateLimited", pulled_from("faulty", "too-many-requests/web:1"),
          seconds=120),
    Cause("broken", "registry answers 500", "RegistryUnavailable", pulled_from("faulty", "broken/web:1"), seconds=120),
    Cause("down", "registry down", "RegistryUnavailable", pulled_from("closed", "web:1"), seconds=120),
    Cause("command", "command not found", "CommandNotFound", web(command=["/no/such/program"])),
    Cause("permission", "command not executable", "CommandNotFound", web(command=["/proc/version"])),
    Cause("exec-format", "command is no program", "ExecFormatError", web("no-program:1")),
    Cause("interpreter", "interpreter missing", "InterpreterNotFound", web("no-interpreter:1")),
    Cause("library", "shared library missing", "SharedLibraryNotFound", web("no-library:1")),
    Cause("crash", "exits with code 1", "ContainerExited",
          web(command=["/web", "--print", "cannot reach the database", "--no-listen", "--exit-after", "1ms"])),
    Cause("signal", "killed by a signal", "ContainerExited", shell("sh -c 'kill -SEGV $$$$'; exit $?")),
    Cause("done", "exits with code 0", "ProgramEnded", shell("echo done")),
    Cause("memory", "out of memory", "OutOfMemory", shell(_EATS, memory="16M")),
    Cause("memory-init", "out of memory at the start", "OutOfMemory", web(memory="1M"),
          shows=either(event("FailedCreatePodSandBox"), pod_is_in_trouble)),
    Cause("unready", "health check answers 503", "HealthCheckTimeout",
          web(command=["/web", "--ready-after", "1h"], health={"path": "/healthz"}),
          shows=event("Unhealthy"), seconds=90),
    Cause("silent", "nothing listens on the port", "HealthCheckTimeout", web(command=["/web", "--no-listen"]),
          shows=event("Unhealthy"), seconds=90),
    Cause("secret", "Secret missing", "SecretNotFound", web(env=_NO_TOKEN), seconds=90),
    Cause("key", "key of the Secret missing", "SecretNotFound", web(env=_NO_TOKEN), space="keys", seconds=90),
    Cause("quota", "quota exceeded", "QuotaExceeded", web(), shows=pods_refused, space="quota", seconds=120),
    Cause("limits", "LimitRange refuses", "PodsRefused", web(), shows=pods_refused, space="limits"),
    Cause("policy", "admission policy refuses", "PodsRefused", web(), shows=pods_refused, space="policy"),
    Cause("webhook", "admission webhook does not answer", "AdmissionBroken", web(), shows=pods_refused,
          space="webhook", seconds=120),
    Cause("no-cpu", "no node has the CPU", "Unschedulable", web(cpu="1000"), shows=unschedulable, seconds=180),
    Cause("no-memory", "no node has the memory", "Unschedulable", web(memory="100T"), shows=unschedulable,
          seconds=180),
    Cause("elsewhere", "volume is on another node", "Unschedulable", with_volume, shows=unschedulable,
          before=lambda space, name: _claimed(space, name, node="no-such-node"), seconds=180),
    Cause("class", "storage class missing", "VolumeNotProvisioned", with_volume,
          shows=either(event("ProvisioningFailed"), unschedulable), seconds=90,
          before=lambda _space, name: _owned(name, [claim(name, {"storageClassName": "no-such-class"})])),
    Cause("no-class", "no volume for the claim", "VolumeNotProvisioned", with_volume,
          shows=either(event("FailedBinding"), unschedulable), seconds=90,
          before=lambda _space, name: _owned(name, [claim(name, {"storageClassName": ""})])),
    Cause("mount", "volume cannot be mounted", "VolumeNotFound", with_volume, shows=event("FailedMount"),
          before=lambda space, name: _claimed(space, name, path="/no/such/directory"), seconds=90),
    Cause("storage", "more storage used than the limit", "StorageLimitExceeded",
          shell("dd if=/dev/zero of=/scratch/x bs=1M count=4; sleep 3600", port=None,
                volumes=[{"name": "scratch", "path": "/scratch", "ephemeral": True, "size": "1Mi"}]),
          shows=evicted, seconds=180),
    Cause("run-tag", "run of a task: tag missing", "TagNotFound", task("web:no-such-tag"), is_task=True),
    Cause("run-crash", "run of a task: exits with code 1", "ContainerExited",
          task(command=["/web", "--no-listen", "--exit-after", "1ms"]), is_task=True),
    Cause("run-memory", "run of a task: out of memory", "OutOfMemory",
          task("busybox:1", command=["sh", "-c", _EATS], memory="16M"), is_task=True),
    Cause("run-deadline", "run of a task: longer than its `timeout`", "DeadlineExceeded",
          task(command=["/web", "--no-listen"], timeout="10s"), shows=job_failed, is_task=True),
)  # fmt: skip
"""In the order of docs/failure-codes.md."""
