"""For each test a namespace, in which Helm installs the example's chart."""

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from hack.commands import CommandFailed
from hack.toolchain.build import HELM, HELM_3, Program
from tests.e2e.chart.helm import helm
from tests.e2e.conftest import Namespace, cluster, namespace, pytest_runtest_makereport

__all__ = ["cluster", "namespace", "pytest_runtest_makereport"]

MISSING = "1 of 2 failed: worker: image pull failed: tag not found"
"""The message about a worker whose tag does not exist."""
CHART = Path(__file__).parents[3] / "examples" / "gitops" / "chart"


@dataclass
class Ended:
    """How a command of Helm ended."""

    said: str
    failed: bool
    seconds: float


@dataclass
class Shop:
    """The example's chart, as the release `shop` in a namespace."""

    namespace: Namespace
    program: Program = HELM

    def helm(self, *arguments: str) -> Ended:
        """Run a command of Helm."""
        began = time.monotonic()
        where = ("--namespace", self.namespace.name)
        try:
            said = helm(*arguments, *where, kubeconfig=self.namespace.cluster.kubeconfig, program=self.program)
        except CommandFailed as error:
            return Ended(str(error), failed=True, seconds=time.monotonic() - began)
        return Ended(said, failed=False, seconds=time.monotonic() - began)

    def upgrade(self, *options: str, **values: str) -> Ended:
        """Install or upgrade, with these options and values (`web_tag` is `web.tag`), and wait."""
        chosen = {"registry": self.namespace.registry} | {key.replace("_", "."): text for key, text in values.items()}
        settings = [word for key, text in chosen.items() for word in ("--set-string", f"{key}={text}")]
        return self.helm("upgrade", "--install", "shop", str(CHART), "--wait", *options, *settings)

    def state(self) -> str:
        """The state of the release: deployed or failed."""
        return self.helm("status", "shop", "--output", "json").said.partition('"status":"')[2].partition('"')[0]


@pytest.fixture
def shop(namespace: Namespace) -> Shop:
    """The chart, with Helm 4."""
    return Shop(namespace)


@pytest.fixture
def shop_of_3(namespace: Namespace) -> Shop:
    """The chart, with Helm 3."""
    return Shop(namespace, HELM_3)
