"""Every cause of a failure that one node can show, on a real cluster: the code, the reason, and nothing sooner.

All MillDeployments are applied at the start, and every test waits for its own service: the file takes as long as its
slowest verdict. What takes longer than a minute is a suspicion here; tables of the unit tests show its time.
"""

import json
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hack import images
from hack.cluster import Cluster, components
from hack.images.archive import Image, push
from hack.toolchain.go import ARCHITECTURE

from .conftest import NAMESPACE, Namespace, wait_for
from .faulty_registry import closed_port, faulty_registry
from .objects import Json, bound_volume, claim, limit_range, mill, policy, quota

SMALL = {"cpu": "40m", "memory": "32M"}
SHELL_EATS = "x=a; while true; do x=$x$x; done"


@dataclass
class Space:
    """A namespace with one MillDeployment, and what must be there before it."""

    services: list[Json]
    before: list[Json] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    space: str
    service: str
    state: str
    code: str | None
    message: str | None
    """How it begins, in the words of any version. A text in braces stands for an address of this run."""
    evidence: str = ""
    """Part of it, in the words of any container runtime: between them stands ` or `."""
    seconds: float = 60.0
    """How long it may take; the grace of its rule, and the pace of a loaded machine."""
    suggestion: str = ""
    """How it begins."""


PULL = "image pull failed: "
GIVES_UP = components.wanted().containerd.startswith("2.")
"""Whether the node's container runtime waits 30 s for a registry's answer, and not for as long as the kubelet does."""
TIMEOUT = "net/http: timeout awaiting response headers"
SILENT = (
    ("Suspect", "RegistryUnavailable", f"{PULL}registry unavailable: {TIMEOUT}")
    if GIVES_UP
    else ("Pulling", None, None)
)
CASES = [
    Case("images", "tag", "Failed", "TagNotFound", PULL + "tag not found", "not found"),
    Case("images", "digest", "Failed", "TagNotFound", PULL + "digest not found"),
    Case("images", "repository", "Failed", "TagNotFound", PULL + "tag not found"),
    Case("images", "platform", "Failed", "WrongPlatform", PULL + f"not built for linux/{ARCHITECTURE}"),
    Case("images", "half-pushed", "Failed", "ImageIncomplete", PULL + "incomplete in the registry", seconds=90),
    Case("images", "unauthorized", "Failed", "PullDenied", PULL + "access denied",
         "401 Unauthorized or authorization failed: no basic auth credentials", seconds=90),
    Case("images", "forbidden", "Failed", "PullDenied", PULL + "access denied", "403 Forbidden", seconds=90),
    Case("credentials", "private", "Failed", "PullSecretNotFound",
         PULL + "access denied, pull secret not found: regcred", seconds=90),
    Case("images", "silent", *SILENT),
    Case("starts", "command", "Failed", "CommandNotFound", "container start failed: command not found",
         suggestion="Write `args` instead of `command` if these are arguments"),
    Case("starts", "format", "Failed", "ExecFormatError",
         f"container start failed: not built for linux/{ARCHITECTURE}"),
    Case("starts", "secret", "Failed", "SecretNotFound", 'secret "db.url" not found', seconds=90),
    Case("late", "key", "Failed", "SecretNotFound", 'secret "db.other" not found', seconds=90),
    Case("starts", "crash", "Failed", "ContainerExited", "container exited with code 3", "cannot reach the database"),
    Case("starts", "done", "Failed", "ProgramEnded", "container exited with code 0"),
    Case("starts", "oom", "Failed", "OutOfMemory", "out of memory (limit 16M)", seconds=90),
    Case("starts", "oom-child", "Failed", "OutOfMemory", "out of memory (limit 16M)", seconds=90),
    Case("starts", "unready", "Failed", "HealthCheckTimeout", "health check timeout after 30s", "statuscode: 503",
         seconds=90),
    Case("limits", "web", "Failed", "PodsRefused",
         "pods refused: maximum memory usage per Container is 10M, but limit is 32M"),
    Case("admission", "web", "Failed", "PodsRefused", "pods refused: {policy}: no pods on Fridays"),
    Case("volumes", "mount", "Failed", "VolumeNotFound",
         'volume "mount-data" not mounted: hostPath type check failed: /no/such/directory is not a directory or '
         'volume "mount-data" not mounted: hostPath type check failed, /no/such/directory is not a directory',
         seconds=120),
    Case("volumes", "class", "Failed", "VolumeNotProvisioned",
         'volume "class-data" not provisioned: storage class "no-such-class" not found', seconds=120),
    Case("volumes", "no-class", "Failed", "VolumeNotProvisioned",
         'volume "no-class-data" not provisioned: no storage class', seconds=120),
    Case("places", "cpu", "Suspect", "Unschedulable", "no nodes available: insufficient cpu"),
    Case("places", "memory", "Suspect", "Unschedulable", "no nodes available: insufficient memory"),
    # The scheduler of Kubernetes 1.31 names no cause here.
    Case("places", "elsewhere", "Suspect", "Unschedulable",
         "no nodes available: volume is on another node or no nodes available: the scheduler names no cause"),
    Case("quota", "web", "Failed", "QuotaExceeded",
         "quota exceeded: small, requested: limits.memory=32M, used: limits.memory=0, limited: limits.memory=10M",
         seconds=120),
    Case("images", "too-many-requests", "Suspect", "PullRateLimited", PULL + "too many requests to the registry"),
    Case("images", "broken", "Suspect", "RegistryUnavailable",
         PULL + "registry unavailable: 500 Internal Server Error"),
    Case("images", "refused", "Suspect", "RegistryUnavailable",
         PULL + "registry unavailable: dial tcp {closed}: connect: connection refused"),
]  # fmt: skip


@dataclass
class Failing:
    """What was applied."""

    spaces: dict[str, Namespace]
    words: dict[str, str]
    """What texts in braces stand for."""

    def service(self, space: str, name: str) -> Json:
        return self.spaces[space].service(name)


def _spaces(registry: str, faulty: str, closed: str, token: str) -> dict[str, Space]:
    def web(name: str, image: str = f"{registry}/web:1", **more: Any) -> Json:
        return {"name": name, "image": image, "port": 8080, **SMALL, **more}

    def shell(name: str, script: str, **more: Any) -> Json:
        return web(name, f"{registry}/busybox:1", command=["sh", "-c", script], **more)

    def with_volume(name: str) -> Json:
        return web(name, volumes=[{"name": f"{name}-data", "path": "/data", "size": "1Mi"}])

    faults = ("half-pushed", "unauthorized", "forbidden", "too-many-requests", "broken", "silent", "recovering")
    return {
        "images": Space(
            [
                web("tag", f"{registry}/web:no-such-tag"),
                web("digest", f"{registry}/web@sha256:{'0' * 64}"),
                web("repository", f"{faulty}/empty/web:1"),
                web("platform", f"{faulty}/other-platform/web:1"),
                web("refused", f"{closed}/web:1"),
                *(web(fault, f"{faulty}/{fault}/web:1") for fault in faults),
            ]
        ),
        "credentials": Space([web("private", f"{faulty}/unauthorized/web:1")]),
        "starts": Space(
            [
                web("command", command=["/no/such/program"]),
                web("format", f"{registry}/no-program:1"),
                web("secret", env={"DATABASE_URL": "${secret(db.url)}"}),
                web("crash", command=["/web", "--print", "cannot reach the database", "--no-listen",
                                      "--exit-after", "1ms", "--exit-code", "3"]),
                web("later", command=["/web", "--exit-after", "6s"]),
                shell("done", "echo done"),
                shell("oom", SHELL_EATS, memory="16M"),
                shell("oom-child", f"sh -c '{SHELL_EATS}'; exit $?", memory="16M"),
                web("unready", command=["/web", "--ready-after", "1h"], health={"path": "/healthz"}),
                web("slow", command=["/web", "--ready-after", "12s"], health={"path": "/healthz"}),
            ]
        ),
        "late": Space(
            [
                web("late", env={"DATABASE_URL": "${secret(db.url)}"}),
                web("key", env={"DATABASE_URL": "${secret(db.other)}"}),
            ]
        ),
        "quota": Space([web("web")], [quota("small", {"limits.memory": "10M"})]),
        "limits": Space([web("web")], [limit_range("10M")]),
        "admission": Space([web("web")]),
        "places": Space(
            [web("cpu", cpu="1000"), web("memory", memory="100T"), with_volume("elsewhere")],
            bound_volume(f"elsewhere-{token}", "elsewhere", f"e2e-places-{token}", path="/tmp", node="no-such-node"),
        ),
        "volumes": Space(
            [with_volume("mount"), with_volume("class"), with_volume("no-class")],
            [
                *bound_volume(f"mount-{token}", "mount", f"e2e-volumes-{token}", path="/no/such/directory"),
                claim("class", {"storageClassName": "no-such-class"}),
                claim("no-class", {"storageClassName": ""}),
            ],
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def failing(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Failing]:
    """Everything that fails, applied at once."""
    if cluster.kind_of != "embedded":
        pytest.skip("the nodes of this cluster cannot pull from a registry that is a thread of ours")
    token = secrets.token_hex(4)
    folder = tmp_path_factory.mktemp("failing")
    _push_images(cluster.registry, folder)
    with faulty_registry(cluster.registry) as faulty:
        closed = closed_port()
        wanted = _spaces(cluster.registry, faulty, closed, token)
        spaces = {name: Namespace(f"e2e-{name}-{token}", cluster, folder) for name in wanted}
        policy_name = f"e2e-{token}"
        for space in spaces.values():
            space.run(*cluster.kubectl_command("create", "namespace", space.name))
        any_of_them = next(iter(spaces.values()))
        try:
            _apply(any_of_them, policy(policy_name, spaces["admission"].name))
            _name_missing_credentials(spaces["credentials"])
            for name, space in wanted.items():
                _apply(spaces[name], space.before)
            _wait_until_denied(spaces["admission"])
            for name, space in wanted.items():
                _apply(spaces[name], [mill(space.services)])
            late = spaces["late"]
            make = ("create", "secret", "generic", "mill-secrets", "--from-literal=db.url=postgres://db")
            timer = threading.Timer(5, late.kubectl, make)
            timer.start()
            denied = f"ValidatingAdmissionPolicy '{policy_name}' with binding '{policy_name}' denied request"
            yield Failing(spaces, {"closed": closed, "policy": denied})
            timer.join()
        finally:
            for space in spaces.values():
                space.kubectl("delete", "milldeployments", "--all", "--wait=false", check=False)
                space.kubectl("delete", "namespace", space.name, "--wait=false", check=False)
            volumes = [f"persistentvolume/{name}-{token}" for name in ("elsewhere", "mount")]
            policies = [f"validatingadmissionpolicy{kind}/{policy_name}" for kind in ("", "binding")]
            any_of_them.kubectl("delete", *volumes, *policies, "--wait=false", check=False)


def _push_images(registry: str, folder: Path) -> None:
    images.push_busybox(registry, "1")
    no_program = folder / "no-program"
    no_program.write_text("this is not a program\n")
    push(Image({"/web": no_program}, ("/web",)), f"{registry}/no-program:1")


def _apply(space: Namespace, objects: list[Json]) -> None:
    if objects:
        space.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


def _name_missing_credentials(space: Namespace) -> None:
    wait_for("the namespace's account", lambda: space.get("serviceaccount", "default"))
    space.kubectl("patch", "serviceaccount", "default", "-p", '{"imagePullSecrets": [{"name": "regcred"}]}')


def _wait_until_denied(space: Namespace) -> None:
    """Wait until the API server knows a new policy."""
    probe = ("run", "probe", "--image=probe", "--dry-run=server")
    wait_for("the policy", lambda: space.kubectl(*probe, check=False) == "")


@pytest.fixture
def told(failing: Failing, request: pytest.FixtureRequest) -> Failing:
    """The same, so that a test that fails shows its own namespace."""
    case = getattr(request.node, "callspec", None)
    space = case.params["case"].space if case else "starts"
    request.node.stash[NAMESPACE] = failing.spaces[space]
    return failing


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.space}-{case.service}")
def test_cause(told: Failing, case: Case) -> None:
    def reached() -> Json | None:
        service = told.service(case.space, case.service)
        return service if _has_been(service, case.state) and service.get("reason") == case.code else None

    service = wait_for(f"{case.service}: {case.state} {case.code}", reached, case.seconds)
    if case.message:
        assert service["message"].startswith(_any_of(case.message.format_map(told.words)))
    assert any(each in service.get("evidence", "") for each in _any_of(case.evidence))
    if case.state == "Failed":
        assert service["suggestion"]
        assert service["suggestion"].startswith(case.suggestion)


def _any_of(text: str) -> tuple[str, ...]:
    return tuple(text.split(" or "))


def _has_been(service: Json, state: str) -> bool:
    """Whether it is in that state; a suspicion may have become a failure while the tests before waited."""
    if state == "Suspect" and service.get("state") == "Failed":
        return "suspect" in [each["phase"] for each in service["transitions"]]
    return bool(service.get("state") == state)


def test_a_secret_that_is_made_five_seconds_later_is_no_failure(failing: Failing) -> None:
    _heals(failing, "late", "late", after="suspect")


def test_a_registry_that_is_down_for_a_moment_is_no_failure(failing: Failing) -> None:
    _heals(failing, "images", "recovering", after="suspect")


def test_a_slow_start_within_its_budget_is_no_failure(failing: Failing) -> None:
    _heals(failing, "starts", "slow", after="starting")


def _heals(failing: Failing, space: str, name: str, *, after: str) -> None:
    def healthy() -> Json | None:
        service = failing.service(space, name)
        return service if service.get("state") == "Healthy" else None

    phases = [each["phase"] for each in wait_for(f"{name}: Healthy", healthy, 90)["transitions"]]
    assert phases[-1] == "healthy"
    assert after in phases
    assert "failed" not in phases


def test_a_crash_after_being_healthy_is_told(failing: Failing) -> None:
    def crashed() -> Json | None:
        service = failing.service("starts", "later")
        return service if service.get("reason") == "ContainerExited" and service["state"] == "Failed" else None

    service = wait_for("the second crash", crashed)
    phases = [each["phase"] for each in service["transitions"]]
    assert phases.index("healthy") < phases.index("failed")
    assert "exiting with code 1 after 6s" in service["evidence"]


def test_a_pull_that_says_nothing_is_none(failing: Failing) -> None:
    """A registry that takes the connection and is silent: while the node waits so do we, and say where."""
    service = failing.service("images", "silent")
    if GIVES_UP:
        assert service["reason"] == "RegistryUnavailable"
        assert TIMEOUT in service["evidence"]
        return
    assert service["state"] == "Pulling"
    # A pod counts as scheduled when its node has not refused the image for five seconds: before or after it is pulling.
    wait_for(
        "both phases",
        lambda: (
            {each["phase"] for each in failing.service("images", "silent")["transitions"]} == {"pulling", "scheduled"}
        ),
    )
