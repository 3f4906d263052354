"""The programs `mill-operator` and `mill-gateway` where only the packages of the command line are installed."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
sys.modules[{missing!r}] = None
sys.argv[1:] = {arguments!r}
from mill_{extra}.main import run
run()
"""


@pytest.mark.parametrize(
    ("extra", "missing", "arguments"),
    [
        ("operator", "re2", ["judge", "recording.yaml"]),
        ("operator", "kopf", ["--log-level", "INFO"]),
        ("gateway", "uvicorn", []),
        ("gateway", "fastapi", ["--help"]),
    ],
)
def test_a_missing_package_is_named_with_what_to_install(extra: str, missing: str, arguments: list[str]) -> None:
    program = PROGRAM.format(extra=extra, missing=missing, arguments=arguments)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert done.stderr == (
        f"error: mill-{extra} needs the Python module `{missing}`, which is not installed\n"
        f"  help: install Mill with the {extra}'s packages, in its repository: pip install '.[{extra}]'\n"
    )
    assert done.stdout == ""
