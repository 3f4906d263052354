"""The Dockerfile: `docker build` makes the very image that `make images` makes, behind a proxy that opens TLS too."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hack.commands import run
from hack.docker import content, debian, engine
from hack.docker.engine import Engine
from hack.images.mill import Mill, build_mill
from hack.images.mill.layout import ROOT, configuration

SECONDS = 1200
REVISION = "0123456789abcdef0123456789abcdef01234567"
IMAGE = "mill-dev/mill:test"
BUILDERS = {"classic": "0", "buildkit": "1"}
"""Docker's older builder, and its newer one."""
SAYS_NOTHING = {"WorkingDir": "/", "ArgsEscaped": True}
"""What builders add beside `Image`, the id of the step before: the default folder, and a mark for Windows."""

pytestmark = pytest.mark.timeout(2 * SECONDS)


@dataclass(frozen=True)
class Built:
    """An image that `docker build` has made."""

    engine: Engine
    name: str
    authority: str
    """The certificate of an authority of our own, which the build was given."""
    saved: Path


@pytest.fixture(scope="module")
def docker() -> Iterator[Engine]:
    """An engine with Debian as an image: the base that the Dockerfile names is in a registry that not all reach."""
    with engine.running(own_network=False) as found:
        debian.load(found)
        yield found


@pytest.fixture(scope="module")
def mill() -> Mill:
    """The image that is built without Docker, with Debian's packages of today."""
    return build_mill(fresh=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The certificate of an authority that nobody else trusts."""
    folder = tmp_path_factory.mktemp("authority")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", folder / "key.pem")
    run("openssl", "req", "-x509", *key, "-subj", "/CN=mill test", "-days", "2", "-out", folder / "crt.pem")
    return (folder / "crt.pem").read_text()


@pytest.fixture(scope="module", params=sorted(BUILDERS))
def built(
    request: pytest.FixtureRequest, docker: Engine, mill: Mill, authority: str, tmp_path_factory: pytest.TempPathFactory
) -> Built:
    name = f"{IMAGE}-{request.param}"
    build(docker, request.param, authority, mill.version, "--tag", name)
    saved = tmp_path_factory.mktemp("saved") / "image.tar"
    docker.docker("save", "--output", saved, name)
    return Built(docker, name, authority, saved)


def build(docker: Engine, builder: str, authority: str, version: str, *options: str) -> None:
    """Build as docs/images.md says it, with certificates of this machine's own and one of the test's."""
    arguments = {
        "BASE": debian.IMAGE,
        "CA_CERTIFICATES": debian.authorities() + authority,
        "VERSION": version,
        "REVISION": REVISION,
    }
    words = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
    environment = {**os.environ, **docker.environment(), "DOCKER_BUILDKIT": BUILDERS[builder]}
    # The network of this machine: the engine's own leads nowhere.
    command = (engine.client(), "build", "--network", "host", *words, *options, ".")
    run(*command, cwd=ROOT, env=environment, timeout=SECONDS)


def test_it_has_the_same_files(built: Built, mill: Mill) -> None:
    assert not content.differences(content.of_saved(built.saved).files, content.of_layers(mill))


def test_it_is_run_the_same_way(built: Built, mill: Mill) -> None:
    settings = content.of_saved(built.saved).settings
    wanted = configuration(mill.version, REVISION).document(mill.layers)
    assert settings["architecture"] == wanted["architecture"]
    assert len(settings["rootfs"]["diff_ids"]) == len(mill.layers)
    found = {name: value for name, value in settings["config"].items() if value}
    assert {name: found.pop(name) for name in wanted["config"]} == wanted["config"]
    assert {name for name, value in found.items() if SAYS_NOTHING.get(name) != value} <= {"Image"}


def test_the_build_trusted_the_given_authority_and_the_image_does_not(built: Built) -> None:
    line = built.authority.splitlines()[1]
    assert not content.holding(built.saved, line.encode())
    assert not content.holding(built.saved, b"CA_CERTIFICATES")
    assert not content.holding(built.saved, b"PIP_CERT")


@pytest.mark.parametrize("program", ["mill-operator", "mill-gateway", "mill"])
def test_its_programs_run(built: Built, mill: Mill, program: str) -> None:
    options = ("--rm", "--pull", "never", "--network", "none", "--read-only", "--cap-drop", "ALL")
    assert mill.version in built.engine.docker("run", *options, built.name, program, "--version")


def test_the_stage_that_builds_has_the_given_authority(built: Built, docker: Engine, mill: Mill) -> None:
    """Its layers are there already: no second build."""
    builder = built.name.rpartition("-")[2]
    stage = f"mill-dev/build:{builder}"
    build(docker, builder, built.authority, mill.version, "--target", "build", "--tag", stage)
    bundle = docker.docker(
        "run", "--rm", "--pull", "never", "--network", "none", stage, "sh", "-c", "cat $SSL_CERT_FILE"
    )
    assert built.authority.strip() in bundle
