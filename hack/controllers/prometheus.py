"""A real Prometheus, which scrapes operator and gateway of this machine and loads the alerts of the chart."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from hack import paths
from hack.cluster.packages import install
from hack.cluster.processes import Daemon
from hack.commands import run
from hack.gitops import guests
from hack.install.manifests import CHART
from hack.progress import step

FOLDER: Final = paths.CLUSTER / "prometheus"
ALERTS: Final = CHART / "files" / "alerts.yaml"
_PORT: Final = 19091
EVERY: Final = "1s"


@dataclass(frozen=True)
class Prometheus:
    """What runs, and what it knows."""

    url: str = f"http://127.0.0.1:{_PORT}"

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of an expression, with their values now."""
        return list(self._ask("query", query=expression)["result"])

    def targets(self) -> dict[str, str]:
        """Return the health of what it scrapes, by job."""
        return {each["labels"]["job"]: each["health"] for each in self._ask("targets")["activeTargets"]}

    def rules(self) -> list[dict[str, Any]]:
        """Return the rules that it evaluates."""
        return [rule for group in self._ask("rules")["groups"] for rule in group["rules"]]

    def _ask(self, what: str, **parameters: str) -> Any:
        return httpx.get(f"{self.url}/api/v1/{what}", params=parameters, timeout=10).raise_for_status().json()["data"]


def up(scraped: Sequence[Mapping[str, Any]]) -> Prometheus:
    """Start it with these `scrape_configs`, and with the alerts."""
    install({"prometheus": "promtool"})
    down()
    FOLDER.mkdir(parents=True)
    write_rules(FOLDER / "alerts.yaml")
    intervals = {"scrape_interval": EVERY, "scrape_timeout": EVERY, "evaluation_interval": EVERY}
    # JSON is YAML, too.
    document = {"global": intervals, "rule_files": ["alerts.yaml"], "scrape_configs": scraped}
    (FOLDER / "prometheus.yaml").write_text(json.dumps(document))
    run("promtool", "check", "config", FOLDER / "prometheus.yaml")
    with step("starting Prometheus"):
        guests.start_all([(_daemon(), _PORT)])
    return Prometheus()


def down() -> None:
    """End it."""
    guests.end_all([(_daemon(), _PORT)])
    shutil.rmtree(FOLDER, ignore_errors=True)


def write_rules(file: Path) -> None:
    """Write the alerts of the chart as a file of rules: a PrometheusRule has the same groups."""
    groups = "".join(f"  {line}\n" for line in ALERTS.read_text().splitlines())
    file.write_text(f"groups:\n{groups}")


def _daemon() -> Daemon:
    argv = (
        "prometheus",
        f"--config.file={FOLDER / 'prometheus.yaml'}",
        f"--storage.tsdb.path={FOLDER / 'data'}",
        f"--web.listen-address=127.0.0.1:{_PORT}",
    )
    return Daemon("prometheus", argv, guest=True)
