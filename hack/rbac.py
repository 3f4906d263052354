"""Give an operator that runs as a local process the rights that it has in a cluster, and no others."""

import json
from pathlib import Path

from hack import paths
from hack.cluster import Cluster
from hack.commands import run
from mill_operator.rbac import NAME, SYSTEM_NAMESPACE

FILE = "charts/rbac/operator.yaml"
HOW_LONG = "24h"
KUBECONFIG = paths.LOCAL / "operator.kubeconfig"


def install_rights(cluster: Cluster, manifests: str | None = None) -> None:
    """Apply the operator's account and roles: those of the repository, or others."""
    if manifests is None:
        run(*cluster.kubectl_command("apply", "-f", FILE))
    else:
        run(*cluster.kubectl_command("apply", "-f", "-"), stdin=manifests)


def operator_kubeconfig(cluster: Cluster, file: Path = KUBECONFIG, namespace: str = SYSTEM_NAMESPACE) -> Path:
    """Write a kubeconfig with a token of the operator's account in a namespace."""
    asked = ("create", "token", NAME, "--namespace", namespace, "--duration", HOW_LONG)
    token = run(*cluster.kubectl_command(*asked))
    shown = json.loads(run(*cluster.kubectl_command("config", "view", "--raw", "--minify", "--flatten", "-o", "json")))
    config = {
        **shown,
        "current-context": NAME,
        "contexts": [{"name": NAME, "context": {"cluster": shown["clusters"][0]["name"], "user": NAME}}],
        "users": [{"name": NAME, "user": {"token": token.strip()}}],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(config))
    return file
