"""Build pinned versions of the cluster's programs from their Go modules, once per version.

Each program gets a small module of its own that requires the wanted version, because `go install module@version`
refuses modules with replace directives. The result appears under its final name by a rename, so an interrupted build
leaves nothing that looks finished.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hack import paths, versions
from hack.commands import run
from hack.exclusive import exclusive
from hack.progress import say, step
from hack.toolchain.go import go


@dataclass(frozen=True)
class Program:
    """One or more programs that are built together from one version of one Go module."""

    name: str
    version: str
    packages: tuple[str, ...]
    module: str = ""
    """Named where the module cannot be required as it is, but with replacements. Kubernetes: `_require_kubernetes`."""
    instead: tuple[str, ...] = ()
    """Other versions of what it requires, as `module version`."""

    @property
    def directory(self) -> Path:
        return paths.BIN / f"{self.name}-{self.version}"

    @property
    def path(self) -> Path:
        """The program of the same name as the build."""
        return self.directory / self.name

    @property
    def built(self) -> bool:
        return self.directory.is_dir()


_KUBERNETES_MODULE = "k8s.io/kubernetes"


def kubernetes(version: str) -> Program:
    """Return the programs of Kubernetes in this version."""
    # Together: most packages are shared between them and compile once.
    names = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
    packages = tuple(f"{_KUBERNETES_MODULE}/cmd/{name}" for name in names)
    return Program("kubernetes", version, packages, module=_KUBERNETES_MODULE)


def containerd(version: str) -> Program:
    """Return the container runtime in this version, with its shim and its client."""
    module = "github.com/containerd/containerd" + ("" if version.startswith("1.") else "/v2")
    names = ("containerd", "containerd-shim-runc-v2", "ctr")
    return Program("containerd", version, tuple(f"{module}/cmd/{name}" for name in names), module=module)


KUBECTL = Program("kubectl", versions.KUBERNETES, (f"{_KUBERNETES_MODULE}/cmd/kubectl",), module=_KUBERNETES_MODULE)
KUBEADM = Program("kubeadm", versions.KUBERNETES, (f"{_KUBERNETES_MODULE}/cmd/kubeadm",), module=_KUBERNETES_MODULE)
ETCD = Program("etcd", versions.ETCD, ("go.etcd.io/etcd/server/v3",))
COREDNS = Program("coredns", versions.COREDNS, ("github.com/coredns/coredns",))
CRANE = Program("crane", versions.CRANE, ("github.com/google/go-containerregistry/cmd/crane",))
CRICTL = Program("crictl", versions.CRICTL, ("sigs.k8s.io/cri-tools/cmd/crictl",))
KIND = Program("kind", versions.KIND, ("sigs.k8s.io/kind",))
_ARGOCD_MODULE = "github.com/argoproj/argo-cd/v3"
ARGOCD = Program("argocd", versions.ARGOCD, (f"{_ARGOCD_MODULE}/cmd",), module=_ARGOCD_MODULE)
SOURCE_CONTROLLER, KUSTOMIZE_CONTROLLER, HELM_CONTROLLER = (
    Program(
        f"flux-{name}",
        version,
        (f"github.com/fluxcd/{name}",),
        module=f"github.com/fluxcd/{name}",
        # v0.18.3 and v1.27.0 are not on every module proxy.
        instead=("github.com/fluxcd/pkg/artifact v0.18.0", "github.com/fluxcd/pkg/chartutil v1.27.1"),
    )
    for name, version in (
        ("source-controller", versions.FLUX),
        ("kustomize-controller", versions.FLUX),
        ("helm-controller", versions.FLUX_HELM),
    )
)
HELM = Program("helm", versions.HELM, ("helm.sh/helm/v4/cmd/helm",))
HELM_3 = Program("helm", versions.HELM_3, ("helm.sh/helm/v3/cmd/helm",))
KWOK = Program("kwok", versions.KWOK, ("sigs.k8s.io/kwok/cmd/kwok",))
_TRAEFIK_MODULE = "github.com/traefik/traefik/v3"
TRAEFIK = Program("traefik", versions.TRAEFIK, (f"{_TRAEFIK_MODULE}/cmd/traefik",), module=_TRAEFIK_MODULE)
METRICS_SERVER = Program("metrics-server", versions.METRICS_SERVER, ("sigs.k8s.io/metrics-server/cmd/metrics-server",))
_KUBE_ROUTER_PROGRAM = "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router"
KUBE_ROUTER = Program("kube-router", versions.KUBE_ROUTER, (_KUBE_ROUTER_PROGRAM,))


def build(programs: Sequence[Program]) -> None:
    """Build those of the programs that are not there yet."""
    if all(program.built for program in programs):
        return
    with exclusive(paths.BIN / ".lock", "build"):
        missing = [program for program in programs if not program.built]
        if any(program.name == "kubernetes" for program in missing):
            say("Building Kubernetes from source: minutes on the first run, nothing after that.")
        for number, program in enumerate(missing, start=1):
            go()
            with step(f"[{number}/{len(missing)}] building {program.name} {program.version}"):
                _build(program)


def module_directory(program: Program) -> Path:
    """Return where the module of a program that names one was downloaded to: it has more than Go sources."""
    with tempfile.TemporaryDirectory() as directory:
        download = _go(Path(directory), "mod", "download", "-json", f"{program.module}@v{program.version}")
        return Path(json.loads(download)["Dir"])


def _build(program: Program) -> None:
    prefix = f".{program.directory.name}."
    for left_behind in paths.BIN.glob(f"{prefix}*"):
        shutil.rmtree(left_behind)
    # A folder of its own: the compiler of a build that was killed may still be writing to the old one.
    unfinished = Path(tempfile.mkdtemp(prefix=prefix, dir=paths.BIN))
    flags = ["-s", "-w"]
    if program.module == _KUBERNETES_MODULE:
        _require_kubernetes(unfinished, program.version)
        flags += _kubernetes_version_flags(program.version)
    elif program.module:
        _require_with_replacements(unfinished, program)
    else:
        _go(unfinished, "mod", "init", f"mill-dev/{program.name}")
        _go(unfinished, "get", "-tool", f"{program.packages[0]}@v{program.version}")
    output = unfinished / "bin"
    output.mkdir()
    target = output / program.name if len(program.packages) == 1 else output
    options = ("-mod=mod", "-trimpath", "-ldflags", " ".join(flags), "-o", str(target))
    _go(unfinished, "build", *options, *program.packages)
    output.rename(program.directory)
    shutil.rmtree(unfinished)


def _require_kubernetes(directory: Path, version: str) -> None:
    """Write a go.mod that takes Kubernetes' staging modules from where they are published.

    Kubernetes' own go.mod replaces them by folders of its repository, which a module download does not contain.
    """
    download = json.loads(_go(directory, "mod", "download", "-json", f"{_KUBERNETES_MODULE}@v{version}"))
    original = Path(download["GoMod"]).read_text()
    staging = re.findall(r"^\s*(\S+) => \./staging/", original, re.MULTILINE)
    settings = re.findall(r"^(?:go|godebug) .+$", original, re.MULTILINE)
    published = "v0" + version.removeprefix("1")
    lines = [
        "module mill-dev/kubernetes",
        *settings,
        f"require {_KUBERNETES_MODULE} v{version}",
        *(f"replace {name} => {name} {published}" for name in staging),
    ]
    (directory / "go.mod").write_text("\n".join(lines) + "\n")


def _require_with_replacements(directory: Path, program: Program) -> None:
    """Write a go.mod that replaces what the module's own does: Go heeds that of the main module alone."""
    module, version = program.module, program.version
    download = json.loads(_go(directory, "mod", "download", "-json", f"{module}@v{version}"))
    original = Path(download["GoMod"]).read_text()
    settings = re.findall(r"^(?:go|godebug|exclude) .+$", original, re.MULTILINE)
    blocks = re.findall(r"^replace \((.*?)^\)", original, re.MULTILINE | re.DOTALL)
    replaced = [f"replace {line.strip()}" for block in blocks for line in block.splitlines() if "=>" in line]
    replaced += re.findall(r"^replace \S+ .*=>.*$", original, re.MULTILINE)
    elsewhere = [line for line in replaced if " => ./" not in line]
    elsewhere += [f"replace {each.split()[0]} => {each}" for each in program.instead]
    lines = [f"module mill-dev/{directory.name.strip('.')}", *settings, f"require {module} v{version}", *elsewhere]
    (directory / "go.mod").write_text("\n".join(lines) + "\n")


def _kubernetes_version_flags(version: str) -> list[str]:
    """Stamp the version: without it the API server says v0.0.0-master and clients draw wrong conclusions."""
    major, minor, _ = version.split(".")
    stamps = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}
    return [f"-X k8s.io/component-base/version.{name}={value}" for name, value in stamps.items()]


def _go(directory: Path, *arguments: str) -> str:
    return run(go(), *arguments, cwd=directory, env={**os.environ, "CGO_ENABLED": "0"})
