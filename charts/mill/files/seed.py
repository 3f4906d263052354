"""`helm test`: deploys a healthy service and one whose tag does not exist, and checks that each gets its own verdict."""

import os
import subprocess
import sys

EXPECTED = {
    "  mill-test-web:    healthy",
    "  mill-test-broken: failed: image pull failed: tag not found",
    "  deploy finished with errors",
}
"""Of both services there may be a line more, and on a slow node the good one may come last."""


def deploy(name: str) -> subprocess.CompletedProcess[str]:
    """Deploy a file and show how that went."""
    environment = {**os.environ, "MILL_TOKEN": os.environ["TOKENS"].split()[0]}
    command = ["mill", "deploy", f"/seed/{name}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    print(f"$ mill deploy {name}\n{done.stdout}{done.stderr}(exit code {done.returncode})", flush=True)
    return done


seed = deploy("production.mill")
gone = deploy("nothing.mill")
if seed.returncode != 1 or not set(seed.stdout.splitlines()) >= EXPECTED:
    sys.exit("the lines or the exit code are not what they should be")
if gone.returncode != 0:
    sys.exit("what was deployed could not be removed")
print("mill works")
