"""The image of a kind node, made on this machine: kind's own files, Debian's packages, and programs built from source.

kind publishes its images in a registry, which not every machine reaches. People use those; tests use this one.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from hack import versions
from hack.commands import run
from hack.docker import debian, engine
from hack.docker.engine import CACHE, Engine
from hack.images.mill.kept import digest, digest_of_files
from hack.images.mill.layout import ROOT
from hack.progress import step
from hack.toolchain.build import (
    COREDNS,
    CRICTL,
    ETCD,
    KIND,
    KUBEADM,
    KUBECTL,
    Program,
    build,
    containerd,
    kubernetes,
    module_directory,
)
from hack.toolchain.go import ARCHITECTURE

IMAGE: Final = f"mill-dev/node:v{versions.KUBERNETES}"
_RUNTIME: Final = containerd(versions.CONTAINERD_CHOICES[-1])
_PROGRAMS: Final = (kubernetes(versions.KUBERNETES), KUBEADM, KUBECTL, ETCD, COREDNS, CRICTL, _RUNTIME)
_SOURCES: Final = Program("kind", versions.KIND, (), module="sigs.k8s.io/kind")
_FOLDER: Final = Path(__file__).parent
_SECONDS: Final = 1200.0

_NETWORK: Final = {
    "cniVersion": "0.4.0",
    "name": "kind",
    "plugins": [
        {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "ipMasq": True,
            "hairpinMode": True,
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": "10.244.0.0/16"}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        },
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ],
}
"""The pods' network, of one node: kind's own plugin comes as an image."""


def archive() -> Path:
    """Return the image, and a registry's, as an archive for `docker load`; it is made once for each content."""
    build([KIND, *_PROGRAMS])
    names = [program.directory.name for program in _PROGRAMS]
    key = digest(json.dumps(_NETWORK), *names, digest_of_files(ROOT, "hack/docker/kind/Dockerfile"))
    kept = CACHE / f"node-{versions.KUBERNETES}-{ARCHITECTURE}-{key}.tar"
    if not kept.exists():
        for older in CACHE.glob("node-*.tar"):
            older.unlink()
        with engine.running(own_network=False) as docker, tempfile.TemporaryDirectory(dir=CACHE) as folder:
            debian.load(docker)
            with step("making the image of a kind node"):
                _build(docker, Path(folder))
                unfinished = Path(folder, kept.name)
                docker.docker("save", "--output", unfinished, IMAGE, versions.REGISTRY_IMAGE, seconds=_SECONDS)
            unfinished.rename(kept)
    return kept


def _build(docker: Engine, folder: Path) -> None:
    context = folder / "context"
    _fill(context)
    names = [_component(docker, context, reference) for reference in _references(context)]
    docker.docker("save", "--output", context / "images.tar", *names, seconds=_SECONDS)
    _docker_build(docker, context, "registry", versions.REGISTRY_IMAGE)
    _docker_build(docker, context, "node", IMAGE)


def _fill(context: Path) -> None:
    """Put together what the Dockerfile copies."""
    shutil.copytree(module_directory(_SOURCES) / "images/base/files", context / "files")
    run("chmod", "--recursive", "u+w", context / "files")  # Go's modules are read-only
    (context / "bin").mkdir()
    for program in _PROGRAMS:
        for file in program.directory.iterdir():
            shutil.copy2(file, context / "bin" / file.name)
    (context / "cni").mkdir()
    (context / "cni/10-bridge.conflist").write_text(json.dumps(_NETWORK))
    (context / "Dockerfile").write_text((_FOLDER / "Dockerfile").read_text())
    (context / "images.tar").touch()


def _references(context: Path) -> list[str]:
    """Return the images that kubeadm starts, and the one of each pod's sandbox as the runtime's settings name it."""
    listed = run(KUBEADM.path, "config", "images", "list", "--kubernetes-version", f"v{versions.KUBERNETES}").split()
    settings = (context / "files/etc/containerd/config.toml").read_text()
    (sandbox,) = [line.split('"')[1] for line in settings.splitlines() if line.strip().startswith("sandbox_image")]
    return [*(each for each in listed if "/pause:" not in each), sandbox]


def _component(docker: Engine, context: Path, reference: str) -> str:
    """Make an image of one program; return its name."""
    name = reference.rpartition(":")[0].rpartition("/")[2]
    if name in ("kube-proxy", "pause"):
        _docker_build(docker, context, name, reference)
        return reference
    with tempfile.TemporaryDirectory(dir=context.parent) as folder:
        archive = Path(folder, "program.tar")
        run("tar", "--directory", context / "bin", "-cf", archive, name)
        settings = (f'ENTRYPOINT ["/{name}"]', "ENV PATH=/")
        changes = [word for setting in settings for word in ("--change", setting)]
        docker.docker("import", *changes, archive, reference)
    return reference


def _docker_build(docker: Engine, context: Path, target: str, name: str) -> None:
    environment = {**os.environ, **docker.environment(), "DOCKER_BUILDKIT": "1"}
    arguments = ("--build-arg", f"BASE={debian.IMAGE}", "--build-arg", f"VERSION=v{versions.KUBERNETES}")
    command = (engine.client(), "build", "--network", "host", *arguments, "--target", target, "--tag", name, context)
    run(*command, env=environment, timeout=_SECONDS)
