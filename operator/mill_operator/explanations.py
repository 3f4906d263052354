"""What is said of each failure code beyond its rules, from `explanations.toml`.

It is read where documentation is generated. No module of the running operator imports this one.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

PLACES: Final[Mapping[str, str]] = {
    "waiting.message": "state of the pod's container",
    "terminated.message": "last state of the pod's container",
    "event": "event of the pod",
    "event beside a pull": "event of the pod",
    "event of a kill": "event of the pod",
    "pulling": "event of the pod",
    "probe": "event of the pod",
    "claim-event": "event of the volume's claim",
    "condition": "condition PodScheduled of the pod",
    "readiness gate": "condition Ready of the pod",
    "pod-status": "status of the pod",
    "replicafailure": "condition ReplicaFailure of the Deployment",
    "write refused": "answer of the API server",
    "write taken": "answer of Mill's operator",
    "write host": "answer of Mill's operator",
    "write route": "answer of Mill's operator",
    "write internal": "answer of Mill's operator",
    "node": "condition Ready of the node",
    "job": "condition Failed of the Job",
    "mill": "message of Mill",
}
"""Where a cluster reports the example of a code, in the names of explanations.toml and for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One code: its subject, a real text of a cluster, what Kubernetes does meanwhile, and why Mill waits."""

    subject: str
    place: str
    """A key of `PLACES`."""
    example: str
    kubernetes: str
    source: str
    """Address of the documentation or code that says what Kubernetes does; empty if there is nothing to say."""
    why: str
    reason: str = ""
    """The reason with which the cluster reports the example."""
    exit_code: int | None = None
    twice: bool = False
    """Whether the container has ended twice in this way."""

    @property
    def shown(self) -> str:
        """Return the example as people read it, with its reason and exit code."""
        code = "" if self.exit_code is None else f"exit code {self.exit_code}"
        beginning = ", ".join(filter(None, (self.reason, code)))
        return ": ".join(filter(None, (beginning, self.example.strip())))


_DATA: Final[dict[str, Any]] = tomllib.loads(
    resources.files("mill_operator").joinpath("explanations.toml").read_text(encoding="utf-8")
)
SUBJECTS: Final[Mapping[str, str]] = _DATA["subjects"]
"""Headings of the subjects by name, in the order of the page."""


def _explanation(entry: dict[str, Any]) -> Explanation:
    kubernetes = _DATA["kubernetes"][entry["kubernetes"]]
    return Explanation(**{**entry, "kubernetes": kubernetes["text"], "source": kubernetes.get("source", "")})


EXPLANATIONS: Final[Mapping[str, Explanation]] = {code: _explanation(entry) for code, entry in _DATA["codes"].items()}
"""Explanations by code."""
