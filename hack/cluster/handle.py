"""What a user of a cluster needs to know of it."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

KindOf = Literal["given", "kind", "embedded"]


@dataclass(frozen=True)
class Cluster:
    """A cluster that can be used."""

    kind_of: KindOf
    kubeconfig: Path
    context: str | None
    """The context to use in the kubeconfig; None for its current one."""
    registry: str
    """Where images are pushed to; the nodes pull them under the same names."""
    kubectl: Path

    def environment(self) -> dict[str, str]:
        """Return the variables under which kubectl, mill and the tests find this cluster."""
        variables = {"KUBECONFIG": str(self.kubeconfig), "MILL_REGISTRY": self.registry}
        return variables | ({"MILL_CONTEXT": self.context} if self.context else {})

    def kubectl_command(self, *arguments: str) -> list[str]:
        """Return a kubectl command line for this cluster, whatever the environment says."""
        context = ["--context", self.context] if self.context else []
        return [str(self.kubectl), "--kubeconfig", str(self.kubeconfig), *context, *arguments]

    def exports(self) -> str:
        """Return shell lines for `eval`; kubectl's folder comes first on PATH."""
        lines = [f"export {name}={shlex.quote(value)}" for name, value in self.environment().items()]
        return "\n".join([*lines, f"export PATH={shlex.quote(str(self.kubectl.parent))}:$PATH"])
