"""Give components that run as local processes the rights that they have in a cluster, and no others."""

import json
import os
from pathlib import Path
from typing import Final

import yaml

from hack import paths
from hack.cluster import Cluster
from hack.commands import run
from mill_kube.rights import SYSTEM_NAMESPACE

FOLDER: Final = "charts/rbac"
MANIFESTS: Final = Path("deploy/mill.yaml")
"""What the chart renders, with its admission policies."""
HOW_LONG: Final = "24h"


def install_rights(cluster: Cluster, manifests: str | None = None) -> None:
    """Apply the components' accounts, roles and policies: those of the repository, or other accounts and roles."""
    if manifests is None:
        run(*cluster.kubectl_command("apply", "-f", FOLDER))
        install_policies(cluster, *filter(None, [os.environ.get("MILL_SERVICE_ACCOUNT")]))
    else:
        run(*cluster.kubectl_command("apply", "-f", "-"), stdin=manifests)


def install_policies(cluster: Cluster, *service_accounts: str) -> None:
    """Apply the policies of the chart. Pods may have these ServiceAccounts, too, and services ports outside.

    The settings of the operator, which tests change, are stricter.
    """
    allowed = {"accounts": ["default", *service_accounts], "serviceTypes": ["ClusterIP", "LoadBalancer"]}
    policies = [each for each in yaml.safe_load_all(MANIFESTS.read_text()) if "AdmissionPolicy" in each["kind"]]
    for each in policies:
        for variable in each["spec"].get("variables", ()):
            if variable["name"] in allowed:
                variable["expression"] = json.dumps(allowed[variable["name"]])
    apply = ("apply", "--server-side", "--force-conflicts", "-f", "-")
    run(*cluster.kubectl_command(*apply), stdin=yaml.safe_dump_all(policies))


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
