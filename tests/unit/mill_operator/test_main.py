"""The program `mill-operator` where only the packages of the command line are installed."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
sys.modules[{missing!r}] = None
sys.argv[1:] = {arguments!r}
from mill_operator.main import run
run()
"""


@pytest.mark.parametrize(
    ("missing", "arguments"),
    [("re2", ["judge", "recording.yaml"]), ("kopf", ["--log-level", "INFO"])],
    ids=["judge", "run"],
)
def test_a_missing_package_is_named_with_what_to_install(missing: str, arguments: list[str]) -> None:
    program = PROGRAM.format(missing=missing, arguments=arguments)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert done.stderr == (
        f"error: mill-operator needs the Python module `{missing}`, which is not installed\n"
        "  help: install Mill with the operator's packages, in its repository: pip install '.[operator]'\n"
    )
    assert done.stdout == ""
