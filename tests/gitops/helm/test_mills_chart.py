"""Mill's own chart with Helm 3 and Helm 4."""

import pytest
import yaml

from hack import versions
from hack.toolchain.build import HELM, HELM_3
from tests.e2e.chart.helm import CHART, helm
from tests.e2e.chart.test_templates import EVERYTHING


@pytest.mark.parametrize("settings", [(), EVERYTHING], ids=["defaults", "everything"])
def test_both_render_the_same(settings: tuple[str, ...]) -> None:
    chosen = [word for each in settings for word in ("--set", each)]
    # A Helm 3 that is built from its module says that clusters have 1.20; the published one says another one.
    always = ("template", "mill", str(CHART), "--kube-version", versions.KUBERNETES)
    by_4, by_3 = (list(yaml.safe_load_all(helm(*always, *chosen, program=each))) for each in (HELM, HELM_3))
    assert by_3 == by_4
    assert len(by_4) > 20
