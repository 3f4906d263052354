"""The base layer: Debian's Python and the libraries that it needs; no shell, no package manager, no tools."""

import re
import tempfile
from pathlib import Path
from typing import Final

from hack.images.mill import debian, interpreter
from hack.images.mill.layout import CERTIFICATES, CONTROL, PROGRAM, STANDARD_LIBRARY, USER, remove

PACKAGES: Final = (
    "base-files",  # the system's name, by which scanners know whose packages they see
    "ca-certificates",
    "gcc-12-base",  # the license of libgcc-s1
    "libbz2-1.0",
    "libc6",
    "libcrypt1",
    "libexpat1",
    "libffi8",
    "libgcc-s1",
    "liblzma5",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "libssl3",
    "libstdc++6",
    "libuuid1",
    "media-types",
    "python3.11-minimal",
    "zlib1g",
)

_LIBRARIES: Final = r"[^/]+-linux-gnu/[^/]+\.so[^/]*"
_WANTED: Final = (
    r"etc/(debian_version|mime\.types|os-release)",
    rf"lib/{_LIBRARIES}",
    r"lib(64)?/ld-linux[^/]*",
    rf"usr/lib/{_LIBRARIES}",
    r"usr/lib/[^/]+-linux-gnu/ossl-modules/[^/]+",
    r"usr/lib/os-release",
    PROGRAM,
    rf"{STANDARD_LIBRARY}/.+",
    r"usr/share/common-licenses/.+",
    r"usr/share/doc/[^/]+(/copyright)?",
)
# What a service has no use for, and modules whose libraries are left out.
_FOLDERS: Final = "curses|dbm|ensurepip|idlelib|lib2to3|pydoc_data|sqlite3|test|tkinter|turtledemo|venv"
_MODULES: Final = r"_curses|_curses_panel|_dbm|_gdbm|_sqlite3|_test\w+|_ctypes_test|_xx\w+|nis|readline|xxlimited\w*"
_UNWANTED: Final = (
    rf"{STANDARD_LIBRARY}/({_FOLDERS})/.+",
    rf"{STANDARD_LIBRARY}/lib-dynload/({_MODULES})\..+",
    rf"{STANDARD_LIBRARY}/sitecustomize\.py",  # a link to a file that is left out
)
LEFT_OUT: Final = re.compile(f"(?!({'|'.join(_WANTED)})$).+|{'|'.join(_UNWANTED)}")

_FILES: Final = {
    "etc/passwd": f"root:x:0:0:root:/nonexistent:/nonexistent\nmill:x:{USER}:{USER}:mill:/nonexistent:/nonexistent\n",
    "etc/group": f"root:x:0:\nmill:x:{USER}:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}


def make(tree: Path, architecture: str, native: Path | None = None) -> None:
    """Fill a folder with the layer's content; `native` is a base whose Python runs here, if this one's does not."""
    with tempfile.TemporaryDirectory() as directory:
        controls = []
        for package in debian.fetch(PACKAGES, architecture, Path(directory)):
            debian.unpack(package, tree)
            controls.append(debian.control(package))
    authorities = sorted((tree / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    bundle = "".join(file.read_text().strip() + "\n" for file in authorities)
    remove(tree, LEFT_OUT)
    files = {f"{CONTROL}/{debian.name_of(text)}": text for text in controls}
    for name, content in {**files, **_FILES, CERTIFICATES: bundle}.items():
        file = tree / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    (tree / "tmp").mkdir()
    (tree / "tmp").chmod(0o1777)
    interpreter.check_libraries(tree, tree)
    interpreter.compile_all(native or tree, tree, STANDARD_LIBRARY)
