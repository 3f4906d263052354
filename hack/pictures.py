"""The documentation's pictures of the page: `make pictures` deploys the main scenario and takes them."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import httpx

from hack import images, local
from hack.browser import chromium
from hack.cluster import Cluster, up
from hack.crd import install_crd
from hack.progress import say, step

FOLDER: Final = Path("docs/pictures")
NAMESPACE: Final = "shop"
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
    """Take the pictures."""
    cluster = up()
    for tag in ("1", "2"):
        images.push_sample(cluster.registry, tag)
    install_crd(cluster)
    local.start(cluster)
    try:
        _kubectl(cluster, "create", "namespace", NAMESPACE)
        with step("deploying"):
            for text in FILES:
                content = text.replace("REGISTRY", cluster.registry)
                url = f"http://127.0.0.1:{local.GATEWAY_PORT}/v1/deploy?namespace={NAMESPACE}"
                httpx.post(url, content=content, timeout=90).raise_for_status()
        FOLDER.mkdir(parents=True, exist_ok=True)
        for scheme in ("light", "dark"):
            _take(scheme, FOLDER / f"page-{scheme}.png")
    finally:
        _kubectl(cluster, "delete", "milldeployments", "--all", "--namespace", NAMESPACE)
        _kubectl(cluster, "delete", "namespace", NAMESPACE, "--wait=false")
    return 0


def _take(scheme: str, file: Path) -> None:
    size = {"width": 1100, "height": 640}
    with chromium() as browser:
        context = browser.new_context(color_scheme=scheme, viewport=size)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{local.GATEWAY_PORT}/?namespace={NAMESPACE}")
        page.locator(".failure").wait_for()
        page.locator(".lane i.healthy").first.wait_for()
        page.wait_for_timeout(500)  # lanes glide into their places
        page.screenshot(path=file, full_page=True)
    say(f"{file}")


def _kubectl(cluster: Cluster, *argv: str) -> None:
    subprocess.run(cluster.kubectl_command(*argv), check=True, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
