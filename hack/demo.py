"""The main scenario on a real cluster, from nothing: `make demo`. A second run starts from the same place."""

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from hack import images
from hack.cluster import Cluster, registry, up
from hack.commands import CommandFailed, run
from hack.install import local_processes as local
from hack.install.crd import install_crd
from hack.progress import say, step

OWN_NAMESPACE: Final = "mill-demo"
"""Used on a cluster that is not ours, so that nothing of its owner's is touched."""
EXAMPLES: Final = Path("examples")
MILL: Final = Path(sys.executable).with_name("mill")
GATEWAY: Final = f"http://127.0.0.1:{local.GATEWAY_PORT}"
WAIT_SECONDS: Final = 60.0


class DemoFailed(RuntimeError):
    """What happened is not what the scenario says."""


def main() -> int:
    """Show everything; return the exit code."""
    cluster = up()
    with step("building and pushing the sample image"):
        for tag in ("1", "2"):
            images.push_sample(cluster.registry, tag)
    with step("starting operator and gateway"):
        install_crd(cluster)
        local.start(cluster)
    scenario = _Scenario(cluster)
    with step("clearing away an earlier demo"):
        scenario.clear()
    scenario.play()
    return 0


class _Scenario:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._namespace = OWN_NAMESPACE if cluster.kind_of == "given" else "default"

    def clear(self) -> None:
        """Make the namespace as if no demo had been here."""
        if self._namespace == OWN_NAMESPACE:
            manifest = f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {OWN_NAMESPACE}}}\n"
            run(*self._cluster.kubectl_command("apply", "-f", "-"), stdin=manifest)
        self._kubectl("delete", "milldeployment", "mill", "--ignore-not-found", "--timeout=60s")
        ours = ("deployments,services,pods", "-l", "mill.dev/deployment=mill")
        _wait("the earlier demo's objects to go", lambda: not self._items(*ours))

    def play(self) -> None:
        self._title("web is good, broken names a tag that does not exist")
        self._show("cat", "examples/production.mill")
        seed = self._mill("examples/production.mill", expected=1)
        nodes = [each["metadata"]["name"] for each in self._items("nodes")]
        expected = [_SEED.format(node=node).splitlines() for node in nodes]
        printed = seed.splitlines()
        is_there = any([line for line in printed if line in lines] == lines for lines in expected)
        self._check(is_there, "the four lines are not as they should be")
        self._say("Exit code 1: scripts need not read the lines.")

        self._title("The same verdict in kubectl and in the API")
        self._show_kubectl("get", "md")
        self._show_kubectl("get", "deployments,pods")
        web = self._ready_pods("web")
        self._ask(*next(iter(web.items())))
        self._show("curl", "-sN", f"{GATEWAY}/v1/deployments/mill/events?namespace={self._namespace}")

        self._title("The right tag: broken becomes healthy, web keeps its pod")
        self._mill("examples/production-fixed.mill", expected=0)
        self._show_kubectl("get", "pods")
        self._check(self._ready_pods("web") == web, "web has another pod than before")
        self._say(f"web is untouched: still pod {', '.join(web)}.")

        self._title("An update to a missing tag: the old pods serve on")
        old = self._ready_pods("broken")
        self._mill("examples/production.mill", expected=1)
        self._show_kubectl("get", "pods")
        self._check(self._ready_pods("broken") == old, "the old pod of broken is gone")
        self._ask(*next(iter(old.items())))
        self._say("The pod of the last good version still answers.")

        kubectl = f'eval "$({Path(sys.executable).relative_to(Path.cwd())} -m hack.cluster env)"; kubectl get md,pods'
        self._title("Look around, and stop")
        self._say(f"  {kubectl}")
        self._say(f"  {MILL.relative_to(Path.cwd())} deploy -f examples/production-fixed.mill")
        self._say(f"  tail -f {local.log_file('operator')}")
        self._say("  make stop            stops operator and gateway")
        self._say("  make cluster-down    stops everything and leaves no trace")

    def _mill(self, file: str, *, expected: int) -> str:
        """Run `mill deploy` and return what it printed to both of its streams."""
        print(f"\n$ mill deploy -f {file}", flush=True)
        command = [str(MILL), "deploy", "--address", GATEWAY, "--namespace", self._namespace, "-f"]
        text = None
        if self._cluster.registry != registry.ADDRESS:
            text, file = Path(file).read_text().replace(registry.ADDRESS, self._cluster.registry), "-"
        started = time.monotonic()
        done = subprocess.run(  # one stream, so that notices stand where a log of CI has them
            [*command, file], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        print(done.stdout, end="", flush=True)
        self._check(done.returncode == expected, f"mill deploy ended with exit code {done.returncode}, not {expected}")
        self._say(f"(exit code {done.returncode}, {time.monotonic() - started:.1f} s)")
        return done.stdout

    def _show(self, *argv: str) -> None:
        print(f"\n$ {shlex.join(argv)}", flush=True)
        print(run(*argv, timeout=WAIT_SECONDS), end="", flush=True)

    def _show_kubectl(self, *arguments: str) -> None:
        print(f"\n$ kubectl {shlex.join(arguments)}", flush=True)
        print(self._kubectl(*arguments), end="", flush=True)

    def _kubectl(self, *arguments: str) -> str:
        return run(*self._cluster.kubectl_command("--namespace", self._namespace, *arguments))

    def _items(self, *arguments: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = json.loads(self._kubectl("get", *arguments, "-o", "json"))["items"]
        return items

    def _ready_pods(self, service: str) -> dict[str, str]:
        """Return the service's ready pods: name to address."""
        return {
            pod["metadata"]["name"]: pod["status"]["podIP"]
            for pod in self._items("pods", "-l", f"mill.dev/service={service}")
            if any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", ()))
            and "deletionTimestamp" not in pod["metadata"]
        }

    def _ask(self, pod: str, address: str) -> None:
        """Show what a pod answers: directly where its address can be reached, else through the API server."""
        if self._cluster.kind_of == "embedded":
            self._show("curl", "-s", f"http://{address}:8080/")
        else:
            self._show_kubectl("get", "--raw", f"/api/v1/namespaces/{self._namespace}/pods/{pod}:8080/proxy/")

    @staticmethod
    def _title(text: str) -> None:
        print(f"\n── {text} " + "─" * max(2, 76 - len(text)), flush=True)

    @staticmethod
    def _say(text: str) -> None:
        print(text, flush=True)

    @staticmethod
    def _check(good: bool, problem: str) -> None:  # noqa: FBT001 - reads like assert
        if not good:
            raise DemoFailed(problem)


_SEED: Final = """\
  web:    scheduled on {node}
  web:    healthy
  broken: failed: image pull failed: tag not found
  deploy finished with errors
"""


def _wait(what: str, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise DemoFailed(f"waited {WAIT_SECONDS:.0f} s for {what}")
        time.sleep(0.2)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (DemoFailed, CommandFailed, local.NotStarted) as error:
        say(f"error: {error}")
        sys.exit(1)
