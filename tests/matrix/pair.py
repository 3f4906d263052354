"""The tests of the slices on the cluster that the environment names: `python -m tests.matrix.pair FOLDER SLICE…`.

It is run where that cluster is alone (`hack.cluster.apart`), leaves JUnit reports in the folder and no cluster behind.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

from hack.cluster import down, up
from hack.commands import run
from tests.matrix.slices import files

NODE: Final = "node.txt"
"""What the node reports of itself."""
_NODE_INFO: Final = "{.items[0].status.nodeInfo.kubeletVersion} {.items[0].status.nodeInfo.containerRuntimeVersion}"
REPORTS: Final = {"together": ("-n", "2", "--dist", "loadfile", "-m", "not alone"), "alone": ("-m", "alone")}
"""The runs of pytest, and the options of each; a report has the name of its run."""


def main() -> int:
    """Run the tests; return 0 if all of them passed."""
    folder = Path(sys.argv[1])
    selected = files(*sys.argv[2:])
    try:
        cluster = up()
        reported = run(*cluster.kubectl_command("get", "nodes", "-o", f"jsonpath={_NODE_INFO}"))
        (folder / NODE).write_text(reported)
        return max(_pytest(folder / f"{name}.xml", *words, *selected) for name, words in REPORTS.items())
    finally:
        down()


def _pytest(report: Path, *words: str) -> int:
    options = ("-q", "--timeout", "300", "--durations", "10", f"--junitxml={report}")
    code = subprocess.run([sys.executable, "-m", "pytest", *options, *words], check=False).returncode
    return 0 if code == _NOTHING_SELECTED else code


_NOTHING_SELECTED: Final = 5


if __name__ == "__main__":
    sys.exit(main())
