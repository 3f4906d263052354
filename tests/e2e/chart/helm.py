"""Helm."""

from pathlib import Path
from typing import Any

import yaml

from hack.commands import run
from hack.toolchain.build import HELM, Program, build

CHART = Path(__file__).parents[3] / "charts" / "mill"
EVERYTHING = (
    "namespace=shop",
    "gateway.drain=true",
    "gateway.tls.existingSecret=tls",
    "gateway.ingress.enabled=true",
    "gateway.ingress.host=mill.example.com",
    "gateway.ingress.tlsSecret=web",
    "workloads.restricted=true",
)
"""Many settings at once, of a release that serves one namespace."""


def helm(*arguments: str, kubeconfig: Path | None = None, timeout: float = 300, program: Program = HELM) -> str:
    """Run Helm, or an older one, and return what it prints. Raise CommandFailed."""
    build([program])
    cluster = ["--kubeconfig", str(kubeconfig)] if kubeconfig else []
    return run(program.path, *arguments, *cluster, timeout=timeout)


def render(*settings: str, chart: Path = CHART, namespace: str = "mill-system") -> list[dict[str, Any]]:
    """Return the objects of the chart with these settings (`a.b=c`)."""
    chosen = [word for each in settings for word in ("--set", each)]
    text = helm("template", "mill", str(chart), "--namespace", namespace, *chosen)
    return [each for each in yaml.safe_load_all(text) if each]
