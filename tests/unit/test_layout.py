"""The folder `operator/` must never stand in the way of the standard library's module of that name."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_operator_from_the_root_is_the_standard_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import operator; operator.add; print(operator.__file__)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()).name == "operator.py"
    assert not (ROOT / "operator" / "__init__.py").exists()
