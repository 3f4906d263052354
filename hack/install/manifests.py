"""deploy/mill.yaml, plain manifests for `kubectl apply -k deploy/`.

They are what the chart renders, without what only Helm has use for. There is no token of the gateway's own among them,
since one that is the same for everybody is none: tokens of the cluster count.
"""

from pathlib import Path
from typing import Any, Final

import yaml

from hack.commands import run
from hack.toolchain.build import HELM, build
from mill_kube.rights import SYSTEM_NAMESPACE

CHART: Final = Path(__file__).parents[2] / "charts" / "mill"
_OF_HELM: Final = ("app.kubernetes.io/managed-by", "helm.sh/chart", "helm.sh/resource-policy")
_HEADER: Final = "# Generated from charts/mill by `make manifests`; do not edit.\n"


def to_yaml() -> str:
    """Return the manifests."""
    build([HELM])
    options = ("--namespace", SYSTEM_NAMESPACE, "--set", "gateway.token.create=false", "--skip-tests")
    rendered = yaml.safe_load_all(run(HELM.path, "template", "mill", CHART, *options))
    objects = [_plain(each) for each in rendered if each]
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM_NAMESPACE}}
    return _HEADER + yaml.safe_dump_all([namespace, *objects], sort_keys=False, width=120, explicit_start=True)


def _plain(made: dict[str, Any]) -> dict[str, Any]:
    """Take away Helm's own marks."""
    metadata = made["metadata"]
    for field in ("labels", "annotations"):
        kept = {key: value for key, value in (metadata.get(field) or {}).items() if key not in _OF_HELM}
        metadata |= {field: kept}
        if not kept:
            del metadata[field]
    return made
