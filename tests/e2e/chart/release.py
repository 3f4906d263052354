"""Releases of the chart on the real cluster, and what their notes tell people to type."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hack.cluster import Cluster
from hack.images import push_mill
from hack.install import local_processes as local
from hack.install import releases
from hack.install.releases import PREVIOUS, push_release
from hack.toolchain.build import HELM, Program
from tests.e2e.conftest import MILL, Finished, Namespace, new_namespace

from .helm import CHART, helm

RESTRICTED = ("pod-security.kubernetes.io/enforce=restricted", "pod-security.kubernetes.io/warn=restricted")


class Release:
    """A release called `mill` in a namespace of its own, and what its notes tell people to type."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self.program: Program = HELM
        self.notes = ""
        registry = namespace.cluster.registry
        self.images = {CHART: push_mill(registry), PREVIOUS.chart: push_release(PREVIOUS, registry)}

    def helm(self, *arguments: str) -> str:
        where, kubeconfig = ("--namespace", self.namespace.name), self.namespace.cluster.kubeconfig
        return helm(*arguments, *where, kubeconfig=kubeconfig, program=self.program)

    def add(self, other: releases.Release) -> Path:
        """Have the image of another release, and return its chart."""
        self.images[other.chart] = push_release(other, self.namespace.cluster.registry)
        return other.chart

    def put(self, chart: Path, **settings: str) -> None:
        """Install or upgrade, and wait until all of it is ready."""
        self.upgrade(chart, **{"workloads.restricted": "true", **settings})

    def upgrade(self, chart: Path, *options: str, **settings: str) -> None:
        """Install or upgrade with the image of the chart, these options of Helm, and no other settings than these."""
        repository, _, digest = self.images[chart].partition("@")
        values = {"image.repository": repository, "image.digest": digest, **settings}
        chosen = [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
        # The development cluster has the CRD already, from elsewhere.
        always = ("--install", "--take-ownership", "--wait", "--timeout", "4m")
        always += ("--force-conflicts",) if self.program is HELM else ()  # Helm 3 knows no server-side apply
        self.notes = self.helm("upgrade", "mill", str(chart), *always, *options, *chosen)

    def test(self) -> None:
        """Run `helm test`, which must pass."""
        said = self.helm("test", "mill", "--logs", "--timeout", "2m")
        assert re.search(r"Phase: +Succeeded", said), said

    def mill(self, *arguments: str) -> Finished:
        """Type what the notes say, then a command of mill."""
        return self.run(self._as_the_notes_say(), str(MILL), *arguments)

    @contextmanager
    def following(self, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        """Type what the notes say, then a command that runs while the block does; read its output at the end."""
        command = ["bash", "-c", self._as_the_notes_say(), "bash", *arguments]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, env=self._environment(), stdout=pipe, stderr=pipe, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    def _as_the_notes_say(self) -> str:
        exports = [line for line in self.notes.splitlines() if line.strip().startswith("export ")]
        assert len(exports) == 3
        return "\n".join([*exports, 'exec "$@"'])

    def _environment(self) -> dict[str, str]:
        environment = {**os.environ, **self.namespace.cluster.environment()}
        for each in ("MILL_ADDRESS", "MILL_CONTEXT", "MILL_TOKEN"):
            environment.pop(each, None)
        return environment

    def run(self, script: str, *arguments: str) -> Finished:
        """Run a script with arguments, as a user whose kubectl reaches the cluster."""
        done = subprocess.run(
            ["bash", "-c", script, "bash", *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def pods(self) -> list[str]:
        """Uids of the components' pods."""
        return sorted(each["metadata"]["uid"] for each in self.namespace.items("pods"))


@contextmanager
def release_in_a_namespace(cluster: Cluster, folder: Path) -> Iterator[Release]:
    """Have a namespace for a release while the block runs. Operator and gateway of other tests are away meanwhile."""
    local.stop()
    try:
        with new_namespace(cluster, folder) as made:
            made.run(*cluster.kubectl_command("label", "namespace", made.name, *RESTRICTED))
            release = Release(made)
            yield release
            if release.helm("list", "--short"):
                release.helm("uninstall", "mill", "--wait")
    finally:
        local.start(cluster)


def first_deploy(release: Release, shop: Namespace) -> Finished:
    """Type all that the notes say, in another namespace than the one of their example."""
    typed = [line for line in release.notes.splitlines() if re.match(r"  (kubectl|export|mill) ", line)]
    script = "set -e\n" + "\n".join(typed).replace("-n default ", f"-n {shop.name} ").replace(
        "default:", f"{shop.name}:"
    )
    script = script.replace("mill deploy -f", f'exec "{MILL}" deploy --namespace {shop.name} -f')
    return release.run(f"cd {shop.folder}\n{script}")
