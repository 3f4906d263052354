"""What the operator asked the API server for, as the API server itself wrote it down (`hack.cluster.audit`)."""

import contextlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from hack.cluster import Cluster, audit
from hack.cluster.packages import NotSupported
from hack.install import local_processes as local

WRITES = ("create", "update", "patch", "delete", "deletecollection")


@dataclass(frozen=True)
class Request:
    """One request that has been answered."""

    verb: str
    resource: str
    """With the subresource, if any: `milldeployments/status`."""
    namespace: str
    name: str
    code: int
    agent: str

    @classmethod
    def of(cls, line: str) -> Self:
        """Read a line of the audit log."""
        event = json.loads(line)
        what = event.get("objectRef", {})
        resource = "/".join(each for each in (what.get("resource"), what.get("subresource")) if each)
        return cls(
            verb=event["verb"],
            resource=resource or event["requestURI"].partition("?")[0],
            namespace=what.get("namespace", ""),
            name=what.get("name", ""),
            code=event["responseStatus"]["code"],
            agent=event.get("userAgent", ""),
        )


class Requests:
    """Reads what has been asked since it was read last, of objects in these namespaces or in none."""

    def __init__(self, *namespaces: str) -> None:
        self._namespaces = {"", *namespaces}
        self._file = audit.LOG.open()
        self._file.seek(0, 2)

    def take(self) -> list[Request]:
        """Return the requests since the last call, or since the beginning, without watches: those go on and on."""
        found = map(Request.of, self._file)
        return [each for each in found if each.verb != "watch" and each.namespace in self._namespaces]


def status_writes(requests: Iterable[Request]) -> Counter[tuple[str, str]]:
    """Count the status writes of each MillDeployment."""
    return Counter((each.namespace, each.name) for each in requests if each.resource == "milldeployments/status")


def applies(requests: Iterable[Request]) -> int:
    """Count what was written to children, answers that refuse included."""
    ours = ("milldeployments", "events", "leases")
    return sum(each.verb in WRITES and each.resource.partition("/")[0] not in ours for each in requests)


def start_operator(cluster: Cluster) -> int:
    """Start the operator, or start it anew, with its requests written down; return its pid when it is ready."""
    if cluster.kind_of != "embedded":
        raise NotSupported("requests are counted on the embedded cluster only (docs/local-cluster.md)")
    local.start(cluster, "operator")
    return operator_pid()


def operator_pid() -> int:
    """Return the pid of the operator, which must be running."""
    pid = local.running("operator")
    if pid is None:
        raise local.NotStarted(f"the operator has ended; see {local.log_file('operator')}")
    return pid


@contextlib.contextmanager
def counted_operator(cluster: Cluster) -> Iterator[int]:
    """Run the operator, with its requests written down, while the block runs; give its pid."""
    try:
        yield start_operator(cluster)
    finally:
        local.stop("operator")
