"""Settings of the operator: the one table of them, from which variables, flags and docs/settings.md come."""

from dataclasses import dataclass
from pathlib import Path

from mill_operator.core import limits
from mill_operator.core.objects.pods import RenderOptions
from mill_process.settings import choice, number, setting, switch, text

ACCOUNT_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""Where a pod finds the namespace that it runs in."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process runs."""

    watch_namespace: str | None = setting(
        None, text, "the only namespace to watch", shown="all", former_names=["namespace"]
    )
    context: str | None = setting(
        None, text, "context of the kubeconfig; in a pod its own account is used", shown="current"
    )
    workers: int = setting(8, number(1, 100), "how many MillDeployments are worked on at once")
    cpu_share: int = setting(
        25,
        number(1, 100),
        "percent of a CPU that one MillDeployment may take in the long run, beyond five seconds at once",
    )
    max_spec_bytes: int = setting(
        limits.MAX_SPEC_BYTES,
        number(1024, 16 * 1024 * 1024),
        "bytes of a MillDeployment's spec, as JSON, above which a new generation is refused",
    )
    log_level: str = setting("INFO", choice("DEBUG", "INFO", "WARNING", "ERROR"), "the least that is logged")
    evidence_logs: bool = setting(
        default=True,
        read=switch,
        explanation="let a crashed program's last words into statuses; without, only the kubelet's and the runtime's",
    )
    log_format: str = setting("text", choice("text", "json"), "`text` for people, `json` for one object a line")
    health_host: str = setting("127.0.0.1", text, "address of `/healthz`, `/readyz` and `/metrics`")
    health_port: int = setting(4401, number(1, 65535), "their port")
    watch_deadline: int = setting(
        180, number(5, 3600), "seconds without a word from a watch after which `/healthz` calls it dead"
    )
    leader_election: bool = setting(
        default=False, read=switch, explanation="take turns with other replicas by a Lease: one works, others wait"
    )
    lease_namespace: str | None = setting(
        None, text, "namespace of the Lease `mill-operator`", shown="the pod's, else `default`"
    )
    lease_seconds: int = setting(
        15, number(3, 600), "how long a leader that is not heard of is waited for; it gives up itself after two thirds"
    )
    service_account: str | None = setting(
        None, text, "ServiceAccount of the pods that are made: its pull secrets count", shown="default"
    )
    restricted: bool = setting(
        default=False,
        read=switch,
        explanation="keep the `restricted` Pod Security Standard in all containers: no root, no capabilities",
    )
    ingress_class: str | None = setting(None, text, "class of the Ingresses", shown="the cluster's")
    tls_issuer: str | None = setting(
        None, text, "cert-manager's ClusterIssuer for the certificates of all routes", shown="none"
    )

    @property
    def render_options(self) -> RenderOptions:
        """The settings of everything that the operator makes."""
        return RenderOptions(self.service_account, self.restricted, self.ingress_class, self.tls_issuer)

    @property
    def namespace_of_lease(self) -> str:
        """Return the namespace that is named, or the one that we run in."""
        if self.lease_namespace is None and ACCOUNT_NAMESPACE.exists():
            return ACCOUNT_NAMESPACE.read_text().strip()
        return self.lease_namespace or "default"
