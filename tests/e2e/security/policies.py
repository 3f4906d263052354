"""The accounts of operator and gateway as the chart creates them, with roles and policies, in a test's namespace."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hack.cluster import Cluster
from hack.install.rights import kubeconfig_of
from tests.e2e.chart.helm import render
from tests.e2e.conftest import Finished, Namespace, new_namespace, wait_for

KINDS = {
    "ServiceAccount",
    "ClusterRole",
    "ClusterRoleBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
}
REFUSED = "ValidatingAdmissionPolicy"


@dataclass
class Components:
    """Operator and gateway as whoever has their tokens."""

    own: Namespace
    """The namespace that the chart is installed into."""
    shop: Namespace
    """A namespace with a MillDeployment."""
    kubeconfigs: dict[str, Path]

    def send(self, component: str, verb: str, body: dict[str, Any], *options: str) -> Finished:
        """Create or apply an object as a component, server-side; a dry run unless options say more."""
        how = ("apply", "--server-side", "--force-conflicts") if verb == "apply" else (verb,)
        command = (*how, "-f", "-", *(options or ("--dry-run=server",)))
        return self.kubectl(component, *command, stdin=json.dumps(body))

    def kubectl(self, component: str, *argv: str, stdin: str | None = None) -> Finished:
        command = [str(self.own.cluster.kubectl), "--kubeconfig", str(self.kubeconfigs[component]), *argv]
        return self.own.run(*command, stdin=stdin, check=False)


def is_refused(done: Finished, message: str) -> bool:
    """Whether a policy has refused a request with that message, and nothing else has."""
    return done.code != 0 and REFUSED in done.stderr and message in done.stderr


@contextmanager
def components(cluster: Cluster, folder: Path, *settings: str) -> Iterator[Components]:
    """Have both accounts while the block runs, with what the chart grants and forbids them."""
    with new_namespace(cluster, folder) as own, new_namespace(cluster, folder) as shop:
        made = [each for each in render(*settings, namespace=own.name) if each["kind"] in KINDS]
        text = yaml.safe_dump_all(made)
        own.kubectl("apply", "--server-side", "-f", "-", stdin=text)
        try:
            files = {
                each: kubeconfig_of(cluster, f"mill-{each}", folder / f"{each}.kubeconfig", own.name)
                for each in ("operator", "gateway")
            }
            found = Components(own, shop, files)
            wait_for(
                "the policies", lambda: is_refused(found.send("gateway", "create", secret(shop.name, "a")), "Secret")
            )
            yield found
        finally:
            own.kubectl("delete", "--wait=false", "-f", "-", stdin=text)


def secret(namespace: str, name: str, **content: Any) -> dict[str, Any]:
    """Return a Secret."""
    metadata = {"name": name, "namespace": namespace, **content.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, **content}
