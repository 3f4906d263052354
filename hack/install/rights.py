"""Give components that run as local processes the rights that they have in a cluster, and no others."""

import json
from pathlib import Path
from typing import Final

from hack import paths
from hack.cluster import Cluster
from hack.commands import run
from mill_kube.rights import SYSTEM_NAMESPACE

FOLDER: Final = "charts/rbac"
HOW_LONG: Final = "24h"


def install_rights(cluster: Cluster, manifests: str | None = None) -> None:
    """Apply the components' accounts and roles: those of the repository, or others."""
    if manifests is None:
        run(*cluster.kubectl_command("apply", "-f", FOLDER))
    else:
        run(*cluster.kubectl_command("apply", "-f", "-"), stdin=manifests)


def kubeconfig_of(cluster: Cluster, account: str, file: Path | None = None, namespace: str = SYSTEM_NAMESPACE) -> Path:
    """Write a kubeconfig with a token of an account in a namespace."""
    file = file or paths.LOCAL / f"{account}.kubeconfig"
    asked = ("create", "token", account, "--namespace", namespace, "--duration", HOW_LONG)
    token = run(*cluster.kubectl_command(*asked))
    shown = json.loads(run(*cluster.kubectl_command("config", "view", "--raw", "--minify", "--flatten", "-o", "json")))
    config = {
        **shown,
        "current-context": account,
        "contexts": [{"name": account, "context": {"cluster": shown["clusters"][0]["name"], "user": account}}],
        "users": [{"name": account, "user": {"token": token.strip()}}],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(config))
    return file
