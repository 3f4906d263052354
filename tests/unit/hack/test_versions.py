"""Versions that are written twice are the same."""

import re
from pathlib import Path

from hack import versions
from hack.cluster.components import Components, named_by
from hack.install.releases import RELEASES

ROOT = Path(__file__).parents[3]


def test_kstatus_is_the_pinned_one_which_the_guide_names() -> None:
    required = re.search(r"sigs\.k8s\.io/cli-utils v(\S+)", (ROOT / "tests/support/kstatus/go.mod").read_text())
    named = re.search(r"sigs\.k8s\.io/cli-utils ([0-9.]+)", (ROOT / "docs/gitops.md").read_text())
    assert required is not None
    assert named is not None
    assert {required[1], named[1]} == {versions.KSTATUS}


def test_the_page_names_the_oldest_release_that_one_can_go_back_to() -> None:
    page = (ROOT / "docs/install.md").read_text()
    assert f"The oldest release that this one can be rolled back to is {RELEASES[0].version}." in page


def test_gitops_tools_are_tried_on_the_newest_pair() -> None:
    newest = re.search(r"^NEWEST := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert newest is not None
    pair = Components(versions.KUBERNETES_CHOICES[-1], versions.CONTAINERD_CHOICES[-1])
    assert named_by({"MILL_KUBERNETES": newest[1]}) == pair
    assert f"Kubernetes {pair.kubernetes} with containerd {pair.containerd}" in (ROOT / "docs/gitops.md").read_text()
