"""`helm test`: deploys a healthy service and one whose tag does not exist, and checks that each gets its own verdict.

Helm removes both with their namespace or MillDeployment.
"""

import os
import subprocess
import sys

EXPECTED = {
    "  mill-test-web:    healthy",
    "  mill-test-broken: failed: image pull failed: tag not found",
    "  deploy finished with errors",
}
"""Each service may have one more line, and on a slow node the healthy one may come last."""


environment = dict(os.environ)
if "TOKENS" in environment:  # the gateway accepts admin tokens only
    environment["MILL_TOKEN"] = environment["TOKENS"].split()[0]
command = ["mill", "deploy", "/seed/production.mill"]
done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
print(f"$ mill deploy production.mill\n{done.stdout}{done.stderr}(exit code {done.returncode})", flush=True)
if done.returncode != 1 or not set(done.stdout.splitlines()) >= EXPECTED:
    sys.exit("unexpected output or exit code")
print("Mill works")
