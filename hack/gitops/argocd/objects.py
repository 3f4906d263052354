"""What Argo CD wants in the cluster: its kinds, settings, a project, and how the cluster is reached."""

import base64
import json
import secrets
from pathlib import Path
from typing import Final

import yaml

from hack.cluster import Cluster
from hack.commands import run
from hack.gitops.guests import Manifest, apply

NAMESPACE: Final = "argocd"
_LABELS: Final = {"app.kubernetes.io/part-of": "argocd"}
_CUSTOMIZATIONS: Final = Path(__file__).parents[3] / "charts/mill/files/argocd/resource_customizations"
RECONCILIATION: Final = "10s"
"""How often it looks at Git; by default every three minutes."""


def health_check() -> str:
    """Return the health check that the chart brings."""
    return (_CUSTOMIZATIONS / "mill.dev/MillDeployment/health.lua").read_text()


def settings(tracking: str = "annotation") -> Manifest:
    """Return argocd-cm."""
    return _config_map(
        "argocd-cm",
        {
            "application.resourceTrackingMethod": tracking,
            "timeout.reconciliation": RECONCILIATION,
            "timeout.reconciliation.jitter": "0s",
            "resource.customizations.health.mill.dev_MillDeployment": health_check(),
        },
    )


def apply_settings(cluster: Cluster, tracking: str) -> None:
    """Choose how Argo CD marks what it has made."""
    apply(cluster, [settings(tracking)])


def install(cluster: Cluster, module: Path) -> None:
    """Make the kinds, and everything else that is looked for at the start."""
    for name in ("application-crd", "appproject-crd", "applicationset-crd"):
        file = str(module / "manifests" / "crds" / f"{name}.yaml")
        run(*cluster.kubectl_command("apply", "--server-side", "--force-conflicts", "-f", file))
    apply(cluster, [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}])
    empty = ("argocd-rbac-cm", "argocd-tls-certs-cm", "argocd-ssh-known-hosts-cm", "argocd-gpg-keys-cm")
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    apply(
        cluster,
        [
            settings(),
            *(_config_map(name, {}) for name in empty),
            _secret("argocd-secret", {"server.secretkey": key}),
            _secret("argocd-redis", {"auth": ""}),
            _cluster_secret(cluster),
            _project(),
        ],
    )


def server_of(cluster: Cluster) -> str:
    """Return the API server's address."""
    return str(_connection(cluster)["cluster"]["server"])


def _connection(cluster: Cluster) -> Manifest:
    document = yaml.safe_load(cluster.kubeconfig.read_text())
    return {"cluster": document["clusters"][0]["cluster"], "user": document["users"][0]["user"]}


def _cluster_secret(cluster: Cluster) -> Manifest:
    found = _connection(cluster)

    def data(part: str, name: str) -> str:
        inline, file = found[part].get(f"{name}-data"), found[part].get(name)
        return str(inline) if inline else base64.b64encode(Path(file).read_bytes()).decode()

    tls = {
        "caData": data("cluster", "certificate-authority"),
        "certData": data("user", "client-certificate"),
        "keyData": data("user", "client-key"),
    }
    made = _secret(
        "cluster-local",
        {"name": "local", "server": server_of(cluster), "config": json.dumps({"tlsClientConfig": tls})},
    )
    made["metadata"]["labels"]["argocd.argoproj.io/secret-type"] = "cluster"
    return made


def _project() -> Manifest:
    everything = [{"group": "*", "kind": "*"}]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "default", "namespace": NAMESPACE},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"namespace": "*", "server": "*"}],
            "clusterResourceWhitelist": everything,
        },
    }


def _config_map(name: str, data: dict[str, str]) -> Manifest:
    metadata = {"name": name, "namespace": NAMESPACE, "labels": _LABELS}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _secret(name: str, data: dict[str, str]) -> Manifest:
    metadata = {"name": name, "namespace": NAMESPACE, "labels": dict(_LABELS)}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}
