"""Settings of the operator, each from one environment variable."""

import os
from dataclasses import dataclass
from typing import Self

from mill_operator.core.objects.pods import DEFAULTS, Options


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process runs."""

    namespace: str | None = None
    """`MILL_NAMESPACE`: the only namespace to look after; unset: all of them."""
    context: str | None = None
    """`MILL_CONTEXT`: context of the kubeconfig; unset: its current one, or the pod's own account."""
    workers: int = 8
    """`MILL_WORKERS`: how many MillDeployments are worked on at once."""
    evidence_logs: bool = True
    """`MILL_EVIDENCE_LOGS`: whether the last words of a program that crashes may become evidence."""
    log_level: str = "INFO"
    """`MILL_LOG_LEVEL`."""
    options: Options = DEFAULTS
    """`MILL_SERVICE_ACCOUNT`, `MILL_RESTRICTED`, `MILL_INGRESS_CLASS`, `MILL_TLS_ISSUER`."""

    @classmethod
    def from_environment(cls) -> Self:
        """Read the settings. Raise ValueError naming the variable that is wrong."""
        workers = os.environ.get("MILL_WORKERS", "8")
        if not workers.isdigit() or not 1 <= int(workers) <= 100:
            raise ValueError(f"MILL_WORKERS={workers}: must be a number from 1 to 100")
        logs = os.environ.get("MILL_EVIDENCE_LOGS", "on")
        if logs not in ("on", "off"):
            raise ValueError(f"MILL_EVIDENCE_LOGS={logs}: must be on or off")
        return cls(
            namespace=os.environ.get("MILL_NAMESPACE") or None,
            context=os.environ.get("MILL_CONTEXT") or None,
            workers=int(workers),
            evidence_logs=logs == "on",
            log_level=os.environ.get("MILL_LOG_LEVEL", "INFO").upper(),
            options=Options(
                service_account=os.environ.get("MILL_SERVICE_ACCOUNT") or None,
                restricted=os.environ.get("MILL_RESTRICTED") == "true",
                ingress_class=os.environ.get("MILL_INGRESS_CLASS") or None,
                tls_issuer=os.environ.get("MILL_TLS_ISSUER") or None,
            ),
        )
