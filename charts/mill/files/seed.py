"""`helm test`: deploys a healthy service and one whose tag does not exist, and checks that each gets its own verdict."""

import os
import subprocess
import sys

EXPECTED = {
    "  mill-test-web:    healthy",
    "  mill-test-broken: failed: image pull failed: tag not found",
    "  deploy finished with errors",
}
"""Each service may have one more line, and on a slow node the healthy one may come last."""


def deploy(name: str) -> subprocess.CompletedProcess[str]:
    """Deploy a file and print the result."""
    environment = {**os.environ, "MILL_TOKEN": os.environ["TOKENS"].split()[0]}
    command = ["mill", "deploy", f"/seed/{name}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    print(f"$ mill deploy {name}\n{done.stdout}{done.stderr}(exit code {done.returncode})", flush=True)
    return done


seed = deploy("production.mill")
gone = deploy("nothing.mill")
if seed.returncode != 1 or not set(seed.stdout.splitlines()) >= EXPECTED:
    sys.exit("unexpected output or exit code")
if gone.returncode != 0:
    sys.exit("cannot remove the services of the test")
print("Mill works")
