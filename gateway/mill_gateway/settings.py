"""Settings of the gateway: the only table, from which variables, flags and docs/settings.md come."""

from dataclasses import dataclass
from typing import Final

from mill_api.manifests import PodOptions
from mill_api.pod_permissions import PodPermissions, permitted_keys
from mill_process.settings import SettingsError, choice, number, setting, switch, text, words

KIB: Final = 1024
MIB: Final = 1024 * KIB
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one gateway process."""

    listen_host: str = setting("127.0.0.1", text, "address that the gateway listens on; `*`: all, of IPv4 and IPv6")
    listen_port: int = setting(4400, number(1, 65535), "port that the gateway listens on")
    default_namespace: str = setting(
        "default", text, "namespace of requests without `?namespace=`", former_names=["namespace"]
    )
    single_namespace: bool = setting(
        default=False,
        read=switch,
        explanation="serve the default namespace only; the gateway then needs no rights in others",
    )
    own_namespace: str | None = setting(
        None,
        text,
        "namespace in which the gateway runs; deploys into it need `?system=true`, unless it is the default one",
        shown="that of its ServiceAccount",
    )
    context: str | None = setting(
        None,
        text,
        "context of the kubeconfig; in a pod the gateway uses its service account",
        shown="current",
    )
    admin_token: str | None = setting(
        None,
        text,
        "token whose owner may do everything that the gateway may; set the variable, since flags are visible to other "
        "users",
        shown="none",
        former_names=["token"],
    )
    admin_tokens_file: str | None = setting(
        None,
        text,
        "file of such tokens, one per line; the gateway reads it again when it changes",
        shown="none",
        former_names=["token_file"],
    )
    kubernetes_tokens: bool = setting(
        default=False, read=switch, explanation="accept Kubernetes tokens and authorize their requests with RBAC"
    )
    token_audiences: tuple[str, ...] = setting(
        ("mill",),
        words,
        "audiences of Kubernetes tokens for this gateway, separated by commas",
        shown="mill",
    )
    api_server_tokens: bool = setting(
        default=True,
        read=switch,
        explanation="also accept Kubernetes tokens for the API server, which could be used there by an attacker",
    )
    tls_cert: str | None = setting(
        None,
        text,
        "file of the TLS certificate chain; the gateway reads it again when it changes",
        shown="none",
    )
    tls_key: str | None = setting(None, text, "file of the TLS key", shown="none")
    service_account: str | None = setting(
        None, text, "ServiceAccount of runs of an image without a task; as in the operator", shown="default"
    )
    pull_secret: str | None = setting(
        None,
        text,
        "Secret of registry credentials for runs of an image or of a file's task that name none, such as "
        "`mill-registries`; as in the operator",
        shown="none",
    )
    restricted: bool = setting(
        default=False,
        read=switch,
        explanation="run them under the `restricted` Pod Security Standard; as in the operator",
    )
    tolerations: tuple[str, ...] = setting(
        (),
        permitted_keys,
        "keys of taints that runs of a file's task may tolerate, separated by commas; as in the operator",
        shown="none",
    )
    pod_labels: tuple[str, ...] = setting(
        (),
        permitted_keys,
        "labels that a file's task may give the pods of its runs; as in the operator",
        shown="none",
    )
    pod_annotations: tuple[str, ...] = setting(
        (),
        permitted_keys,
        "annotations that a file's task may give the pods of its runs; as in the operator",
        shown="none",
    )
    stop_signals: bool = setting(
        default=False, read=switch, explanation="let a file's task have a `stop_signal`; as in the operator"
    )
    nodes: bool = setting(default=True, read=switch, explanation="show nodes and their free resources")
    drain: bool = setting(default=False, read=switch, explanation="allow requests that drain or remove nodes")
    max_streams: int = setting(
        1000, number(1, 100_000), "open streams of rollouts and drains; the gateway refuses more with 429"
    )
    max_streams_per_caller: int = setting(
        500, number(1, 100_000), "open streams of rollouts and drains per caller; all users of one admin token are one"
    )
    max_log_streams: int = setting(
        150,
        number(1, 10_000),
        "replicas whose logs are streamed at once; a stream counts once for each of its replicas",
    )
    max_log_streams_per_caller: int = setting(
        100, number(1, 10_000), "replicas whose logs are streamed at once per caller"
    )
    log_queue_bytes: int = setting(
        256 * 1024, number(1024, 2**30), "bytes of lines that one stream of logs queues for a slow client"
    )
    watch_deadline: int = setting(
        180, number(5, 3600), "seconds without data from a watch after which `/healthz` fails"
    )
    max_connections: int = setting(
        4096, number(16, 1_000_000), "open connections; fewer if the process may not open enough files"
    )
    max_connections_per_address: int = setting(
        3072, number(1, 1_000_000), "open connections from one address; at most three quarters of all"
    )
    max_file_bytes: int = setting(2 * MIB, number(1024, 16 * MIB), "bytes of a request that has a `.mill` file")
    max_json_bytes: int = setting(256 * KIB, number(1024, 16 * MIB), "bytes of any other request body")
    max_secret_bytes: int = setting(
        2 * MIB,
        number(1024, 16 * MIB),
        "bytes of the JSON body that sets a secret; Kubernetes accepts 1 MiB of values",
    )
    body_seconds: int = setting(30, number(1, 3600), "seconds until a request body must be complete")
    body_rest_seconds: int = setting(
        10, number(1, 600), "seconds for which the gateway reads the rest of a body after it has answered"
    )
    max_problems: int = setting(20, number(1, 1000), "problems of a request that one error lists")
    max_reviews: int = setting(
        16,
        number(4, 1000),
        "concurrent TokenReviews, and as many SubjectAccessReviews; a quarter is reserved for known callers",
    )
    max_failed_tokens: int = setting(
        300,
        number(0, 1_000_000),
        "wrong tokens per minute and address that the gateway checks with the cluster; 0 is unlimited",
    )
    log_level: str = setting("INFO", choice("DEBUG", "INFO", "WARNING", "ERROR"), "minimum log level")
    log_format: str = setting("text", choice("text", "json"), "`text` for people, `json` for one object per line")

    @property
    def pod_options(self) -> PodOptions:
        """The settings of the pods of runs."""
        permissions = PodPermissions(
            self.tolerations, self.pod_labels, self.pod_annotations, stop_signals=self.stop_signals
        )
        return PodOptions(self.service_account, self.restricted, self.pull_secret, permissions)

    @property
    def is_open(self) -> bool:
        """Whether the gateway authenticates no caller."""
        return not (self.admin_token or self.admin_tokens_file or self.kubernetes_tokens)

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine reaches the gateway."""
        return self.listen_host in LOOPBACK

    @property
    def watched_namespace(self) -> str | None:
        """The only namespace that the gateway serves, or None for all."""
        return self.default_namespace if self.single_namespace else None

    def check(self) -> None:
        """Raise `SettingsError` with every combination of settings that is not allowed."""
        problems = []
        if self.is_open and not self.on_loopback:
            problems.append(
                f"MILL_LISTEN_HOST={self.listen_host}: without MILL_KUBERNETES_TOKENS, MILL_ADMIN_TOKEN or "
                "MILL_ADMIN_TOKENS_FILE the gateway listens on loopback only"
            )
        if bool(self.tls_cert) != bool(self.tls_key):
            problems.append("MILL_TLS_CERT, MILL_TLS_KEY: set both, or neither")
        if self.drain and not self.nodes:
            problems.append("MILL_DRAIN=true needs MILL_NODES=true")
        if problems:
            raise SettingsError("\n".join(problems))
