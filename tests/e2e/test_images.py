"""Mill's image, built without Docker: what is in it, and that both roles run from it where everything is forbidden."""

import importlib.metadata
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import httpx
import pytest

from hack.cluster import Cluster
from hack.commands import run
from hack.images import push_mill
from hack.images.mill import application, base, build_mill, interpreter
from hack.images.mill.application import version
from hack.images.mill.dependencies import NEVER_IMPORTED
from hack.images.mill.layout import ARCHITECTURES, BILL, CONTROL, PACKAGES, PROGRAM
from hack.toolchain.build import CRANE
from tests.support.imports import IMPORT_EVERYTHING

from . import image_pods
from .conftest import Namespace, wait_for

LARGEST = 150_000_000
SHELLS = {"ash", "bash", "busybox", "dash", "ksh", "sh", "zsh"}
INSTALLERS = {"apt", "apt-get", "dpkg", "ensurepip", "pip", "pip3", "setuptools", "uv"}
PROGRAMS = {"/usr/bin/python3.11", "/opt/mill/bin/mill", "/opt/mill/bin/mill-gateway", "/opt/mill/bin/mill-operator"}


@pytest.fixture(scope="module")
def image(cluster: Cluster) -> str:
    """The image, built and pushed, by its digest."""
    return push_mill(cluster.registry)


@pytest.fixture(scope="module")
def content(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tarfile.TarFile]:
    """Everything that is in the image, as a container sees it."""
    archive = tmp_path_factory.mktemp("image") / "content.tar"
    run(CRANE.path, "export", image, archive)
    with tarfile.open(archive) as tar:
        yield tar


@pytest.fixture
def space(namespace: Namespace) -> Namespace:
    """A namespace that admits pods of the restricted profile only."""
    namespace.kubectl("apply", "-f", "-", stdin=image_pods.namespace(namespace.name))
    return namespace


def pod_phase(space: Namespace, role: str) -> str:
    phase: str = space.get("pod", f"mill-{role}")["status"].get("phase", "")
    return phase


def test_it_has_neither_shell_nor_installer(content: tarfile.TarFile) -> None:
    places = ("usr/lib/python3.11", "opt/mill/lib/python3.11/site-packages")
    files = {PurePosixPath(member.name).name for member in content if not member.isdir()}
    packages = {PurePosixPath(member.name).name for member in content if member.name.rpartition("/")[0] in places}
    assert not (files | packages) & (SHELLS | INSTALLERS)


def test_nothing_can_be_executed_but_python_and_our_programs(content: tarfile.TarFile) -> None:
    places = ("bin", "sbin", "usr/bin", "usr/sbin", "usr/local", "opt/mill/bin")
    found = {
        f"/{member.name}" for member in content if member.isfile() and member.name.rpartition("/")[0].startswith(places)
    }
    assert found == PROGRAMS
    assert not [member.name for member in content if member.mode & 0o6000], "no file changes who runs it"


def test_it_is_small(content: tarfile.TarFile) -> None:
    assert sum(member.size for member in content) <= LARGEST


def test_it_says_what_it_is(image: str) -> None:
    settings = json.loads(run(CRANE.path, "config", image))["config"]
    assert settings["User"] == "65532:65532"
    assert settings["Labels"]["org.opencontainers.image.version"] == version()
    assert settings["Labels"]["dev.mill.sbom"] == f"/{BILL}"


def test_the_bill_of_materials_names_what_is_in_it(content: tarfile.TarFile) -> None:
    file = content.extractfile(BILL)
    assert file is not None
    bill = json.load(file)
    named = {component["name"]: component["version"] for component in bill["components"]}
    assert named["kopf"] == importlib.metadata.version("kopf")
    assert named["mill-kubernetes"] == version()
    assert set(base.PACKAGES) <= set(named)
    kept = {PurePosixPath(member.name).name for member in content if member.name.startswith(f"{CONTROL}/")}
    assert kept == set(base.PACKAGES)


def test_every_distribution_in_it_is_imported_and_none_is_missing() -> None:
    mill = build_mill()
    folders = [layer.tree / PACKAGES for layer in (mill.dependencies, mill.application)]
    ours = sorted(Path(each).name for each in application.SOURCES if "/" in each)
    python = (*interpreter.loader(mill.base.tree), mill.base.tree / PROGRAM, "-S", "-s", "-B")
    environment = {"PYTHONPATH": ":".join(map(str, folders)), "PYTHONHOME": str(mill.base.tree / "usr")}
    imported = json.loads(run(*python, "-c", IMPORT_EVERYTHING, *ours, env=environment))
    assert set(ours) <= set(imported)
    known = importlib.metadata.packages_distributions()
    used = {_normal(name) for package in imported for name in known.get(package, ())}
    present = {_normal(each.name.split("-")[0]) for folder in folders for each in folder.glob("*.dist-info")}
    # httpx imports httpcore with its first client, and Mill's own distribution is an editable one here.
    assert present - used - {"mill-kubernetes"} == {"httpcore"}
    assert not present & set(NEVER_IMPORTED)


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")


def test_the_same_sources_are_the_same_image(cluster: Cluster, image: str) -> None:
    assert push_mill(cluster.registry) == image


def test_an_index_has_all_architectures_and_a_node_takes_its_own(cluster: Cluster, space: Namespace) -> None:
    """`make images` pushes it; `make test-arm64` starts what is in it for the other architecture."""
    index = push_mill(cluster.registry, "all", architectures=ARCHITECTURES)
    listed = json.loads(run(CRANE.path, "manifest", index))["manifests"]
    assert [each["platform"]["architecture"] for each in listed] == list(ARCHITECTURES)
    for each in listed:
        settings = json.loads(run(CRANE.path, "config", f"{index.partition('@')[0]}@{each['digest']}"))
        assert settings["architecture"] == each["platform"]["architecture"]
    space.kubectl("apply", "-f", "-", stdin=image_pods.objects("operator", space.name, index, "--version"))
    wait_for("its end", lambda: pod_phase(space, "operator") in {"Succeeded", "Failed"})
    assert space.kubectl("logs", "mill-operator") == f"mill-operator {version()}\n"


def test_both_roles_explain_themselves(space: Namespace, image: str) -> None:
    for role in image_pods.ROLES:
        space.kubectl("apply", "-f", "-", stdin=image_pods.objects(role, space.name, image, "--help"))
    for role in image_pods.ROLES:
        wait_for(f"the end of mill-{role}", lambda role=role: pod_phase(space, role) in {"Succeeded", "Failed"})
        assert f"usage: mill-{role}" in space.kubectl("logs", f"mill-{role}")
        assert pod_phase(space, role) == "Succeeded"


def test_both_roles_run_restricted(space: Namespace, image: str) -> None:
    for role in image_pods.ROLES:
        space.kubectl("apply", "-f", "-", stdin=image_pods.objects(role, space.name, image))
    for role in image_pods.ROLES:
        space.kubectl("wait", "--for=condition=Ready", f"pod/mill-{role}", "--timeout=60s")
        ask = "import os; print(os.getuid(), os.getgid(), os.access('/', os.W_OK))"
        told = space.kubectl("exec", f"mill-{role}", "--", "/opt/mill/bin/python", "-c", ask)
        assert told == "65532 65532 False\n"
        refused = space.run(
            *space.cluster.kubectl_command("-n", space.name, "exec", f"mill-{role}", "--", "sh", "-c", "true"),
            check=False,
        )
        assert refused.code != 0
    address = space.get("pod", "mill-gateway")["status"]["podIP"]
    answer = httpx.get(
        f"http://{address}:{image_pods.PORTS['gateway']}/v1/services",
        headers={"Authorization": f"Bearer {image_pods.TOKEN}"},
    )
    assert (answer.status_code, answer.json()) == (200, [])
    for role in image_pods.ROLES:
        space.kubectl("delete", "pod", f"mill-{role}", "--timeout=20s")  # the first process hears SIGTERM
