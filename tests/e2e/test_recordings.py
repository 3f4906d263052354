"""A failing service, recorded from a real cluster by the documented command, and judged without it."""

import json
import re
import shutil
import sys
from pathlib import Path

from tests.e2e.verdicts import BROKEN, GOOD

from .conftest import Namespace

PAGE = Path(__file__).parents[2] / "docs" / "report-a-verdict.md"
OPERATOR = Path(sys.executable).with_name("mill-operator")
VALUE = "hunter2-of-the-environment"
CRASHING = """
service "crashing" {
  image   = "REGISTRY/web:1"
  cpu     = 0.02
  command = ["/web", "-no-listen", "-print", "cannot reach the database", "-exit-after", "1ms", "-exit-code", "3"]
  env { PASSWORD = "VALUE" }
}
""".replace("VALUE", VALUE)


def documented(namespace: Namespace) -> str:
    """Return the command of the page, for a shell in which nothing but its programs has to be found."""
    (command,) = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    paths = {str(OPERATOR.parent), str(Path(shutil.which(str(namespace.cluster.kubectl)) or "").parent)}
    return f"set -o pipefail; cd {namespace.folder}; PATH={':'.join(paths)}:$PATH\n" + command.replace(
        "NAMESPACE", namespace.name
    )


def test_a_recording_is_judged_as_the_cluster_was(namespace: Namespace) -> None:
    assert namespace.deploy(GOOD + BROKEN + CRASHING).code == 1
    namespace.run("bash", "-c", documented(namespace))
    recording = namespace.folder / "recording.yaml"
    assert VALUE not in recording.read_text()
    done = namespace.run(str(OPERATOR), "judge", "--json", str(recording))
    said = {each["service"]: each for each in json.loads(done.stdout)["verdicts"]}
    assert {name: (each["state"], each["namespace"]) for name, each in said.items()} == {
        "web": ("Healthy", namespace.name),
        "broken": ("Failed", namespace.name),
        "crashing": ("Failed", namespace.name),
    }
    for name in ("broken", "crashing"):
        status = namespace.service(name)
        for field, recorded in (("code", "reason"), ("message", "message"), ("suggestion", "suggestion")):
            assert said[name][field] == status[recorded]
    assert "cannot reach the database" in said["crashing"]["evidence"]
    assert json.loads(done.stdout)["notes"] == []
