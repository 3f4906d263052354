"""Files in Mill's image, files left out, and the image's metadata."""

import json
import re
import shlex
import struct
import tomllib
from pathlib import Path

import pytest

from hack import versions
from hack.images.mill import application, base, dependencies, elf, interpreter, sbom
from hack.images.mill.layout import ARCHITECTURES, ROOT, configuration, remove

DEBIAN = "usr/lib/x86_64-linux-gnu"
STANDARD = "usr/lib/python3.11"


@pytest.mark.parametrize(
    "path",
    [
        "etc/os-release",
        "lib64/ld-linux-x86-64.so.2",
        "lib/aarch64-linux-gnu/libc.so.6",
        f"{DEBIAN}/libssl.so.3",
        f"{DEBIAN}/ossl-modules/legacy.so",
        "usr/bin/python3.11",
        f"{STANDARD}/asyncio/base_events.py",
        f"{STANDARD}/lib-dynload/_ssl.cpython-311-x86_64-linux-gnu.so",
        "usr/share/doc/libc6/copyright",
        "usr/share/doc/libgcc-s1",
    ],
)
def test_a_service_needs(path: str) -> None:
    assert not base.LEFT_OUT.fullmatch(path)


@pytest.mark.parametrize(
    "path",
    [
        "bin/sh",
        "usr/bin/dpkg",
        "usr/bin/python3",
        "usr/sbin/update-ca-certificates",
        "etc/passwd",
        f"{DEBIAN}/gconv/UTF-16.so",
        f"{STANDARD}/ensurepip/__init__.py",
        f"{STANDARD}/test/regrtest.py",
        f"{STANDARD}/lib-dynload/readline.cpython-311-x86_64-linux-gnu.so",
        "usr/share/doc/libc6/changelog.gz",
        "usr/share/man/man1/python3.11.1.gz",
    ],
)
def test_a_service_does_not_need(path: str) -> None:
    assert base.LEFT_OUT.fullmatch(path)


@pytest.mark.parametrize(
    ("path", "left_out"),
    [
        ("kopf/__init__.py", False),
        ("kopf-1.45.2.dist-info/METADATA", False),
        ("kopf-1.45.2.dist-info/RECORD", True),
        ("kopf-1.45.2.dist-info/licenses/LICENSE", False),
        ("kubernetes/aio/client/api_client.py", False),
        ("kubernetes/aio/client/models/__init__.py", False),
        ("kubernetes/aio/client/models/v1_pod.py", True),
        ("kubernetes/client/api/core_v1_api.py", True),
        ("kubernetes/client/rest.py", True),
        ("kubernetes/aio/client/rest.py", False),
        ("kubernetes/aio/stream/ws_client.py", True),
        ("kubernetes/aio/config/incluster_config.py", False),
        ("yarl/_quoting_c.pyx", True),
        ("starlette/testclient.py", False),
        ("certifi/tests/test_certify.py", True),
        ("bin/uvicorn", True),
        (".lock", True),
        ("fastapi/.agents/skills/fastapi/SKILL.md", True),
        ("bundling/.libs/libz.so.1", False),
    ],
)
def test_of_distributions_only_files_that_run_are_kept(path: str, left_out: bool) -> None:
    assert bool(dependencies.LEFT_OUT.fullmatch(path)) is left_out


def test_mill_uses_nothing_that_is_left_out_of_the_client() -> None:
    ours = [file for folder in application.SOURCES for file in (ROOT / folder).rglob("*.py")]
    imports = re.compile(r"^\s*(?:from|import) (kubernetes\S*)(?: import (.+))?$", re.MULTILINE)
    found = {match for file in ours for match in imports.findall(file.read_text())}
    account = ("kubernetes.aio.config", "incluster_config")
    assert found == {("kubernetes.aio", "client as aio"), ("kubernetes.aio", "config as aio_config"), account}
    assert not dependencies.LEFT_OUT.fullmatch("kubernetes/aio/config/incluster_config.py")
    text = (ROOT / "libs/mill_kube/connection.py").read_text()
    assert set(re.findall(r"\baio\.(\w+)", text)) - {"client", "config"} == {"ApiClient", "Configuration"}


def test_folders_that_have_become_empty_go(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "unwanted").touch()
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "wanted").touch()
    (tmp_path / "d").symlink_to("c")
    remove(tmp_path, re.compile(r"a/.+"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c", "d"]


def test_scripts_run_the_images_python() -> None:
    made = application.programs("[console_scripts]\nmill-operator = mill_operator.main:run\n")
    assert made == {
        "mill-operator": "#!/opt/mill/bin/python\nimport sys\nfrom mill_operator.main import run\nsys.exit(run())\n"
    }


def library(*entries: tuple[int, str]) -> bytes:
    """A library with these entries in its dynamic section, as small as a loader could take it."""
    strings, dynamic = b"\0", b""
    for tag, text in entries:
        dynamic += struct.pack("<qQ", tag, len(strings))
        strings += text.encode() + b"\0"
    dynamic += struct.pack("<qQ", 5, 0x1000 + 0x200) + struct.pack("<qQ", 0, 0)
    segments = [
        struct.pack("<IIQQQQQQ", 1, 4, 0, 0x1000, 0x1000, 0x400, 0x400, 1),
        struct.pack("<IIQQQQQQ", 2, 4, 0x100, 0x1100, 0x1100, len(dynamic), len(dynamic), 1),
    ]
    header = b"\x7fELF\x02\x01".ljust(32, b"\0") + struct.pack("<Q", 64)
    header = header.ljust(54, b"\0") + struct.pack("<HH", 56, len(segments))
    content = (header.ljust(64, b"\0") + b"".join(segments)).ljust(0x100, b"\0") + dynamic
    return content.ljust(0x200, b"\0") + strings


def test_what_a_library_needs_is_read() -> None:
    read = elf.needs(library((1, "libc.so.6"), (1, "libz.so.1"), (29, "$ORIGIN/../a.libs:/opt/b"), (14, "own.so")))
    assert read == elf.Needs(("libc.so.6", "libz.so.1"), ("$ORIGIN/../a.libs", "/opt/b"))
    assert elf.needs(b"#!/bin/sh\n") == elf.Needs()


def test_a_library_from_elsewhere_is_missing(tmp_path: Path) -> None:
    base, tree = tmp_path / "base", tmp_path / "tree"
    for file in (base / "lib/aarch64-linux-gnu/libc.so.6", tree / "opt/a.libs/libbundled.so"):
        file.parent.mkdir(parents=True)
        file.write_bytes(b"")
    module = tree / "opt/a/module.so"
    module.parent.mkdir()
    entries = ((1, "libc.so.6"), (1, "libbundled.so"), (1, "libnone.so.1"), (29, "$ORIGIN/../a.libs:/usr/lib"))
    module.write_bytes(library(*entries))
    with pytest.raises(interpreter.LibraryMissing, match=r"^opt/a/module\.so needs libnone\.so\.1$"):
        interpreter.check_libraries(base, tree)


LOCK = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
"""Everything that is locked, by its wheels."""

UNIVERSAL = r".+-none-any\.whl"
FITTING = {
    "amd64": r".+-(cp311-cp311|cp3\d+-abi3)-manylinux.*_x86_64\.whl",
    "arm64": r".+-(cp311-cp311|cp3\d+-abi3)-manylinux.*_aarch64\.whl",
}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_there_is_a_wheel_of_every_dependency(architecture: str) -> None:
    needed = set(re.findall(r"^([\w.-]+)==", dependencies.requirements(), re.MULTILINE))
    fitting = re.compile(f"{UNIVERSAL}|{FITTING[architecture]}")
    found = {
        package["name"]
        for package in LOCK
        if any(fitting.fullmatch(each["url"].rpartition("/")[2]) for each in package.get("wheels", ()))
    }
    assert len(needed) > 20
    assert not needed - found


def test_the_bill_names_everything_with_its_licence() -> None:
    bill = sbom.bill(
        "1.2.3",
        debian=["Package: zlib1g\nVersion: 1:1.2.13\nArchitecture: amd64\nDescription: compression\n more of it\n"],
        python=[
            "Metadata-Version: 2.4\nName: kopf\nVersion: 1.45.2\nLicense-Expression: MIT\n\nName: not this one\n",
            "Name: Old_One\nVersion: 1\nLicense: a\n text\nClassifier: License :: OSI Approved :: BSD License\n\n",
        ],
    )
    assert bill["metadata"]["component"]["version"] == "1.2.3"
    assert [(each["name"], each["version"], each["purl"], each.get("licenses")) for each in bill["components"]] == [
        ("zlib1g", "1:1.2.13", "pkg:deb/debian/zlib1g@1%3A1.2.13?arch=amd64&distro=debian-12", None),
        ("kopf", "1.45.2", "pkg:pypi/kopf@1.45.2", [{"expression": "MIT"}]),
        ("Old_One", "1", "pkg:pypi/old-one@1", [{"license": {"name": "BSD License"}}]),
    ]


def test_the_dockerfile_says_the_same() -> None:
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text())
    instructions: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, _, rest = line.partition(" ")
        instructions.setdefault(name, []).append(rest)
    settings = configuration("${VERSION}", "${REVISION}")
    assert dict(each.split("=", 1) for each in shlex.split(instructions["ENV"][-1])) == settings.environment
    assert dict(each.split("=", 1) for each in shlex.split(instructions["LABEL"][0])) == settings.labels
    assert instructions["USER"] == [settings.user]
    assert instructions["EXPOSE"] == [" ".join(str(port) for port in settings.ports)]
    assert instructions["CMD"] == [json.dumps(list(settings.command))]
    assert instructions["FROM"] == ["${BASE} AS build", "scratch"]
    (base,) = [each for each in instructions["ARG"] if each.startswith("BASE=")]
    assert re.fullmatch(r"BASE=[\w.:/-]+@sha256:[0-9a-f]{64}", base)


def test_docker_build_gets_all_that_the_image_is_made_of() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    given = {line.removeprefix("!") for line in lines if line.startswith("!")}
    needed = {*application.SOURCES, application.BUILD, "uv.lock", "hack/images"}
    assert {each.partition("/")[0] for each in needed} == given


def test_what_the_build_trusts_is_of_the_first_stage_alone() -> None:
    first, last = (ROOT / "Dockerfile").read_text().split("FROM scratch")
    assert "ARG CA_CERTIFICATES" in first
    assert not {"CA_CERTIFICATES", "PIP_CERT"} & set(re.findall(r"\w+", last))
    assert "/etc" not in last.replace("/etc/ssl/certs/ca-certificates.crt", "")


@pytest.mark.parametrize("name", ["uv", "go", "build"])
def test_tools_are_installed_by_hash(name: str) -> None:
    """A hash for each line that names a version: pip's --require-hashes refuses anything else."""
    text = (ROOT / f"hack/locked/{name}.txt").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines
    assert all(re.fullmatch(r"[\w.-]+==\S+( ; [^#]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*", line) for line in lines), (
        lines
    )
    users = {
        "uv": ("Dockerfile", "hack/setup.sh"),
        "go": ("hack/toolchain/go.py",),
        "build": ("hack/images/mill/application.py",),
    }
    for file in users[name]:
        assert "--require-hashes" in (ROOT / file).read_text(), file
    if name == "go":
        assert lines[0].split()[0] == versions.GO_PACKAGE
