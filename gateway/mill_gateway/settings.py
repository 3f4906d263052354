"""Settings of the gateway, each from one environment variable."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process runs."""

    host: str = "127.0.0.1"
    """`MILL_LISTEN_HOST`: the address to listen on."""
    port: int = 4400
    """`MILL_LISTEN_PORT`."""
    namespace: str = "default"
    """`MILL_NAMESPACE`: the namespace of requests that name none."""
    context: str | None = None
    """`MILL_CONTEXT`: context of the kubeconfig; unset: its current one, or the pod's own account."""
    tokens: tuple[str, ...] = ()
    """`MILL_TOKEN`, or the lines of the file `MILL_TOKEN_FILE`: who has one of them may call."""

    @classmethod
    def from_environment(cls) -> Self:
        """Read the settings. Raise ValueError that says which is wrong."""
        port = os.environ.get("MILL_LISTEN_PORT", "4400")
        if not port.isdigit() or int(port) > 65535:
            raise ValueError(f"MILL_LISTEN_PORT={port}: must be a number up to 65535")
        settings = cls(
            host=os.environ.get("MILL_LISTEN_HOST", "127.0.0.1"),
            port=int(port),
            namespace=os.environ.get("MILL_NAMESPACE") or "default",
            context=os.environ.get("MILL_CONTEXT") or None,
            tokens=_tokens(),
        )
        if not settings.tokens and settings.host not in LOOPBACK:
            raise ValueError(
                f"MILL_LISTEN_HOST={settings.host}: without a token (MILL_TOKEN or MILL_TOKEN_FILE) "
                "the gateway listens on loopback only"
            )
        return settings


def _tokens() -> tuple[str, ...]:
    if file := os.environ.get("MILL_TOKEN_FILE"):
        lines = Path(file).read_text(encoding="utf-8").splitlines()
        return tuple(line.strip() for line in lines if line.strip())
    return tuple(filter(None, [os.environ.get("MILL_TOKEN")]))
