"""The main scenario on a terminal, through a real gateway: what a person has on the screen in the end."""

import os
import re

from hack.pictures.terminal import Terminal
from tests.e2e.conftest import MILL, Namespace
from tests.e2e.seed import SEED, plan


def test_a_terminal_has_a_line_for_each_service_and_a_summary(namespace: Namespace) -> None:
    (namespace.folder / "production.mill").write_text(SEED.replace("REGISTRY", namespace.registry))
    environment = {**os.environ, "MILL_ADDRESS": namespace.gateway, "MILL_NAMESPACE": namespace.name}
    arguments = (MILL, "deploy", "production.mill")
    with Terminal(*arguments, columns=120, environment=environment, folder=namespace.folder) as terminal:
        assert terminal.end(60) == 1
        seen = terminal.everything
        assert terminal.echoes()
    announced = f"deploying production.mill to {namespace.gateway}\n{plan(namespace.name)}"
    assert seen.startswith(announced)
    lines = [
        r"  web:    healthy \(\d+\.\ds\)",
        r"  broken: failed: image pull failed: tag not found",
        r"(    \| +.*\n)+    help: Check the name and tag of the image.*(\n          .*)*",
        r"    code: TagNotFound \(`mill explain TagNotFound`\)",
        r"  deploy finished with errors: 1 healthy, 1 failed \(\d+\.\ds\)",
    ]
    assert re.match("\n".join(lines) + "\n", seen.removeprefix(announced)), seen
