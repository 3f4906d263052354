"""A real browser for tests of the page and its pictures: Debian's Chromium, installed when it is needed first."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from hack.cluster import packages

PROGRAM = "/usr/bin/chromium"
PACKAGES = {"chromium": PROGRAM, "fonts-dejavu-core": "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Have a browser while the block runs. Raise `NotSupported` where there is none."""
    packages.install(PACKAGES)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
