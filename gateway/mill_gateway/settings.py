"""Settings of the gateway: the one table of them, from which variables, flags and docs/settings.md come."""

from dataclasses import dataclass
from typing import Final

from mill_process.settings import SettingsError, choice, number, setting, switch, text, words

KIB: Final = 1024
MIB: Final = 1024 * KIB
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process runs."""

    listen_host: str = setting("127.0.0.1", text, "address to listen on")
    listen_port: int = setting(4400, number(1, 65535), "its port")
    namespace: str = setting("default", text, "namespace of requests that name none")
    single_namespace: bool = setting(
        default=False, read=switch, explanation="serve that namespace only; rights elsewhere are not needed then"
    )
    context: str | None = setting(
        None, text, "context of the kubeconfig; in a pod its own account is used", shown="current"
    )
    token: str | None = setting(
        None, text, "who has it may do everything that the gateway does; others see a flag, so use the variable"
    )
    token_file: str | None = setting(
        None, text, "file of such tokens, a line each, read again when it changes", shown="none"
    )
    kubernetes_tokens: bool = setting(
        default=False, read=switch, explanation="let in who has a token of the cluster, to what Kubernetes lets them do"
    )
    token_audiences: tuple[str, ...] = setting(
        ("mill",),
        words,
        "audiences of the cluster's tokens for this gateway, separated by commas; they are asked for first",
        shown="mill",
    )
    api_server_tokens: bool = setting(
        default=True,
        read=switch,
        explanation="let in tokens of the cluster for the API server itself as well, which are good there, too",
    )
    tls_cert: str | None = setting(
        None, text, "file of the certificate chain; read again when it changes", shown="none"
    )
    tls_key: str | None = setting(None, text, "file of its key", shown="none")
    service_account: str | None = setting(
        None, text, "ServiceAccount of runs that no task describes; as the operator's setting", shown="default"
    )
    restricted: bool = setting(
        default=False, read=switch, explanation="keep them in the `restricted` profile; as the operator's setting"
    )
    nodes: bool = setting(default=True, read=switch, explanation="show nodes and what is free on them")
    drain: bool = setting(default=False, read=switch, explanation="let nodes be drained and removed")
    max_streams: int = setting(
        1000, number(1, 100_000), "streams of rollouts and drains that are open at once; more are refused with 429"
    )
    max_streams_per_caller: int = setting(
        500, number(1, 100_000), "the same for one caller; who has the gateway's own token is one, all together"
    )
    max_log_streams: int = setting(
        150, number(1, 10_000), "replicas whose logs are read at once; a stream counts once for each of its replicas"
    )
    max_log_streams_per_caller: int = setting(100, number(1, 10_000), "the same for one caller")
    log_queue_bytes: int = setting(
        256 * 1024, number(1024, 2**30), "bytes of lines that wait for the reader of a stream of logs"
    )
    watch_deadline: int = setting(
        180, number(5, 3600), "seconds without a word from a watch after which `/healthz` calls it dead"
    )
    max_connections: int = setting(
        4096, number(16, 1_000_000), "connections at once, as far as the process may have open files for them"
    )
    max_connections_per_address: int = setting(
        3072, number(1, 1_000_000), "connections at once from one address; never more than three quarters of all"
    )
    max_file_bytes: int = setting(2 * MIB, number(1024, 16 * MIB), "bytes of a `.mill` file that is deployed")
    max_json_bytes: int = setting(256 * KIB, number(1024, 16 * MIB), "bytes of any other body")
    max_secret_bytes: int = setting(
        2 * MIB, number(1024, 16 * MIB), "bytes of the JSON that sets a secret; Kubernetes takes 1 MiB of values"
    )
    body_seconds: int = setting(30, number(1, 3600), "seconds in which a request's body must be complete")
    body_rest_seconds: int = setting(
        10, number(1, 600), "seconds for which the rest of a body is taken whose request has been answered"
    )
    max_problems: int = setting(20, number(1, 1000), "problems of a request that its answer tells")
    max_reviews: int = setting(
        16, number(4, 1000), "TokenReviews at once, and as many SubjectAccessReviews; a quarter is for known callers"
    )
    max_failed_tokens: int = setting(
        300,
        number(0, 1_000_000),
        "wrong tokens a minute from one address that the cluster is asked about; 0: any number",
    )
    log_level: str = setting("INFO", choice("DEBUG", "INFO", "WARNING", "ERROR"), "the least that is logged")
    log_format: str = setting("text", choice("text", "json"), "`text` for people, `json` for one object a line")

    @property
    def open(self) -> bool:
        """Whether nobody is asked who they are."""
        return not (self.token or self.token_file or self.kubernetes_tokens)

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine reaches the gateway."""
        return self.listen_host in LOOPBACK

    @property
    def watched_namespace(self) -> str | None:
        """Return the only namespace that is served, or None for all."""
        return self.namespace if self.single_namespace else None

    def check(self) -> None:
        """Raise `SettingsError` with everything that does not go together."""
        problems = []
        if self.open and not self.on_loopback:
            problems.append(
                f"MILL_LISTEN_HOST={self.listen_host}: without a token (MILL_TOKEN, MILL_TOKEN_FILE, "
                "MILL_KUBERNETES_TOKENS) the gateway listens on loopback only"
            )
        if bool(self.tls_cert) != bool(self.tls_key):
            problems.append("MILL_TLS_CERT, MILL_TLS_KEY: set both, or none")
        if self.drain and not self.nodes:
            problems.append("MILL_DRAIN=on needs MILL_NODES=on")
        if problems:
            raise SettingsError("\n".join(problems))
