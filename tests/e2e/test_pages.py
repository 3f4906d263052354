"""Pages of the documentation, run as they are written: what they show is what is printed.

`MILL_WRITE_PAGES=1 MILL_SETTLE=10s pytest tests/e2e/test_pages.py` writes into the pages what is printed now, with the
usual settling window. Read the difference then.
"""

import os
import shlex
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import GATEWAY, MILL, Namespace
from tests.e2e.gateway.conftest import StartGateway, start_gateway
from tests.support.pages.blocks import ROOT
from tests.support.pages.running import Reader, rewrite

__all__ = ["start_gateway"]
WRITE = "MILL_WRITE_PAGES"
REGISTRY = "127.0.0.1:5050"
"""The registry of the local cluster, as pages name it."""


@pytest.fixture
def reader(namespace: Namespace, tmp_path: Path, start_gateway: StartGateway) -> Reader:
    """A reader whose gateway serves a namespace of its own by default, which the pages call `default`."""
    namespace.gateway = start_gateway(MILL_DEFAULT_NAMESPACE=namespace.name).url
    tools, folder = tmp_path / "bin", tmp_path / "folder"
    tools.mkdir()
    folder.mkdir()
    kubectl = tools / "kubectl"
    command = shlex.join(namespace.cluster.kubectl_command("--namespace", namespace.name))
    # `mill forward` names the namespace itself.
    kubectl.write_text(f'#!/bin/sh\ncase " $* " in *" --namespace"*) exec {namespace.cluster.kubectl} "$@";; esac\n')
    kubectl.write_text(kubectl.read_text() + f'exec {command} "$@"\n')
    kubectl.chmod(0o755)
    path = f"{tools}:{MILL.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {
        **namespace.cluster.environment(),
        "PATH": path,
        "MILL_ADDRESS": namespace.gateway,
    }
    replaces = {"default/mill": f"{namespace.name}/mill", GATEWAY: namespace.gateway}
    if namespace.registry != REGISTRY:
        replaces[REGISTRY] = namespace.registry
    return Reader(folder, environment, replaces, {namespace.name: "default"})


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", ["docs/guide.md", "docs/tasks.md", "docs/ship-a-release.md"])
def test_a_page_shows_what_is_printed(reader: Reader, page: str) -> None:
    differences = list(reader.follow(ROOT / page))
    if differences and os.environ.get(WRITE):
        rewrite(ROOT / page, differences)
    assert not differences, "\n".join(map(str, differences))
