"""Settings of the operator: the table from which variables, flags and docs/settings.md come."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from mill_api.constraints import LONGEST_SETTLE
from mill_api.pod_permissions import PodPermissions, permitted_keys
from mill_operator.core import limits
from mill_operator.core.objects.pods import RenderOptions
from mill_operator.core.objects.service import DEFAULT_SETTLE
from mill_process.settings import choice, duration, number, setting, switch, text

ACCOUNT_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""The file in which a pod finds its namespace."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of this process."""

    watch_namespace: str | None = setting(
        None, text, "the only namespace to watch", shown="all", former_names=["namespace"]
    )
    context: str | None = setting(
        None, text, "context of the kubeconfig; a pod uses its ServiceAccount", shown="current"
    )
    workers: int = setting(8, number(1, 100), "number of MillDeployments that are reconciled at once")
    cpu_share: int = setting(
        25,
        number(1, 100),
        "percent of a CPU that one MillDeployment may use in the long run, beyond five seconds at once",
    )
    max_spec_bytes: int = setting(
        limits.MAX_SPEC_BYTES,
        number(1024, 16 * 1024 * 1024),
        "bytes of a MillDeployment's spec, as JSON, above which a new generation is refused",
    )
    log_level: str = setting("INFO", choice("DEBUG", "INFO", "WARNING", "ERROR"), "minimum level of the log")
    evidence_logs: bool = setting(
        default=True,
        read=switch,
        explanation="include the last output of crashed programs in status evidence;"
        " if false, only texts of kubelet and runtime",
    )
    log_format: str = setting("text", choice("text", "json"), "`text` for people, `json` for one JSON object per line")
    health_host: str = setting(
        "127.0.0.1", text, "address of the endpoints `/healthz`, `/readyz` and `/metrics`; `*`: all, of IPv4 and IPv6"
    )
    health_port: int = setting(4401, number(1, 65535), "port of these endpoints")
    watch_deadline: int = setting(
        180, number(5, 3600), "seconds without an event or bookmark from a watch after which `/healthz` fails"
    )
    leader_election: bool = setting(
        default=False,
        read=switch,
        explanation="elect a leader among the replicas by a Lease; only the leader reconciles",
    )
    lease_namespace: str | None = setting(
        None, text, "namespace of the Lease `mill-operator`", shown="the pod's, else `default`"
    )
    lease_seconds: int = setting(
        15, number(3, 600), "lease duration in seconds; a leader that cannot renew stops after two thirds of it"
    )
    settle: timedelta = setting(  # noqa: RUF009 - a duration is immutable
        DEFAULT_SETTLE,
        duration(timedelta(0), LONGEST_SETTLE),
        "time for which all replicas of a new version must stay ready before it has succeeded, where a service does"
        " not say; at most 5m",
    )
    service_account: str | None = setting(
        None, text, "ServiceAccount of the pods of services and tasks; its pull secrets apply", shown="default"
    )
    pull_secret: str | None = setting(
        None,
        text,
        "Secret of registry credentials for services and tasks that name none, such as `mill-registries`",
        shown="none",
    )
    restricted: bool = setting(
        default=False,
        read=switch,
        explanation="apply the `restricted` Pod Security Standard to all containers: no root, no capabilities",
    )
    tolerations: tuple[str, ...] = setting(
        (),
        permitted_keys,
        "keys of taints that services and tasks may tolerate, separated by commas",
        shown="none",
    )
    pod_labels: tuple[str, ...] = setting(
        (),
        permitted_keys,
        "labels that services and tasks may give their pods: keys, or beginnings of keys that end with `/`,"
        " separated by commas",
        shown="none",
    )
    pod_annotations: tuple[str, ...] = setting(
        (),
        permitted_keys,
        "annotations that services and tasks may give their pods, in the same form",
        shown="none",
    )
    stop_signals: bool = setting(
        default=False,
        read=switch,
        explanation="let services and tasks have a `stop_signal`: the cluster has the feature gate ContainerStopSignals"
        " and a runtime that knows it; if false, they are refused",
    )
    ingress_class: str | None = setting(None, text, "IngressClass of all Ingresses", shown="the cluster's")
    tls_issuer: str | None = setting(
        None, text, "cert-manager's ClusterIssuer for the certificates of all routes", shown="none"
    )

    outside: bool = setting(
        default=False,
        read=switch,
        explanation="let services have ports outside the cluster by Services of the type LoadBalancer (`outside` in a"
        " `port` block); if false, they are refused",
    )

    @property
    def render_options(self) -> RenderOptions:
        """The settings of everything that the operator makes."""
        return RenderOptions(
            service_account=self.service_account,
            restricted=self.restricted,
            pull_secret=self.pull_secret,
            permissions=PodPermissions(
                self.tolerations, self.pod_labels, self.pod_annotations, stop_signals=self.stop_signals
            ),
            ingress_class=self.ingress_class,
            tls_issuer=self.tls_issuer,
            outside=self.outside,
            settle=self.settle,
        )

    @property
    def namespace_of_lease(self) -> str:
        """The namespace of the Lease: the one that is set, else the pod's own."""
        if self.lease_namespace is None and ACCOUNT_NAMESPACE.exists():
            return ACCOUNT_NAMESPACE.read_text().strip()
        return self.lease_namespace or "default"
