"""The documentation's pictures, of the page and of a terminal: `make pictures` deploys the main scenario for them."""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import httpx

from hack import images
from hack.cluster import Cluster, registry, up
from hack.install import local_processes as local
from hack.install.crd import install_crd
from hack.pictures.browser import chromium
from hack.pictures.recording import frames, svg
from hack.pictures.terminal import Terminal, pictures
from hack.progress import say, step

FOLDER: Final = Path("docs/pictures")
NAMESPACE: Final = "shop"
GATEWAY: Final = f"http://127.0.0.1:{local.GATEWAY_PORT}"
MILL: Final = Path(sys.executable).with_name("mill")
EXAMPLE: Final = Path("examples/production.mill")
COLUMNS: Final = 80
TERMINAL_SECONDS: Final = 60.0
FILES: Final = (
    (
        'service "web" {\n  image = "REGISTRY/web:1"\n  port = 8080\n  replicas = 3\n  cpu = 0.02\n}\n'
        'service "worker" {\n  image = "REGISTRY/web:1"\n  cpu = 0.02\n}\n'
    ),
    (
        'service "web" {\n  image = "REGISTRY/web:2"\n  port = 8080\n  replicas = 3\n  cpu = 0.02\n}\n'
        'service "worker" {\n  image = "REGISTRY/web:missing"\n  cpu = 0.02\n}\n'
        'service "api" {\n  image = "REGISTRY/web:1"\n  port = 8080\n  cpu = 0.02\n'
        '  command = ["/web", "-ready-after", "5s"]\n  health {\n    path = "/healthz"\n  }\n}\n'
    ),
)


def main() -> int:
    """Take the pictures, or one kind of them."""
    kinds = {"page": _page, "terminal": _terminal}
    parser = argparse.ArgumentParser(prog="python -m hack.pictures.__main__", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"{' or '.join(kinds)}; nothing: all of them")
    asked = parser.parse_args().kinds or list(kinds)
    if not set(asked) <= set(kinds):
        parser.error(f"there are {' and '.join(kinds)}")
    cluster = up()
    for tag in ("1", "2"):
        images.push_sample(cluster.registry, tag)
    install_crd(cluster)
    local.start(cluster)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for kind in asked:
        _kubectl(cluster, "create", "namespace", NAMESPACE)
        try:
            kinds[kind](cluster)
        finally:
            _kubectl(cluster, "delete", "milldeployments", "--all", "--namespace", NAMESPACE)
            _kubectl(cluster, "delete", "namespace", NAMESPACE)
    return 0


def _page(cluster: Cluster) -> None:
    with step("deploying"):
        for text in FILES:
            content = text.replace("REGISTRY", cluster.registry)
            url = f"{GATEWAY}/v1/deploy?namespace={NAMESPACE}"
            httpx.post(url, content=content, timeout=90).raise_for_status()
    for scheme in ("light", "dark"):
        _take(scheme, FOLDER / f"page-{scheme}.png")


def _terminal(cluster: Cluster) -> None:
    """Record the main scenario, as a person sees it."""
    with tempfile.TemporaryDirectory() as name, step("deploying"):
        folder = Path(name)
        text = EXAMPLE.read_text().replace(registry.ADDRESS, cluster.registry)
        (folder / EXAMPLE.name).write_text(text)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": name,
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "MILL_ADDRESS": GATEWAY,
            "MILL_NAMESPACE": NAMESPACE,
        }
        arguments = ("deploy", "-f", EXAMPLE.name)
        with Terminal(MILL, *arguments, columns=COLUMNS, environment=environment, folder=folder) as terminal:
            if terminal.end(TERMINAL_SECONDS) != 1:
                raise RuntimeError(f"that is not the main scenario:\n{terminal.everything}")
    shown = frames(shlex.join(["mill", *arguments]), pictures(terminal.recording, COLUMNS, 24), COLUMNS)
    file = FOLDER / "terminal.svg"
    file.write_text(
        svg(shown, "mill deploy on a terminal: one service becomes healthy, the other fails, with the cause")
    )
    say(f"{file}")


def _take(scheme: str, file: Path) -> None:
    size = {"width": 1100, "height": 640}
    with chromium() as browser:
        context = browser.new_context(color_scheme=scheme, viewport=size)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{GATEWAY}/?namespace={NAMESPACE}")
        page.locator(".failure").wait_for()
        page.locator(".lane i.healthy").first.wait_for()
        page.wait_for_timeout(500)  # lanes glide into their places
        page.screenshot(path=file, full_page=True)
    say(f"{file}")


def _kubectl(cluster: Cluster, *argv: str) -> None:
    subprocess.run(cluster.kubectl_command(*argv), check=True, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
