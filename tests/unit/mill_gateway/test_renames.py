"""Services that probably have a new name."""

import pytest

from mill_api.spec import MillDeploymentSpec
from mill_gateway.core.difference import difference


def spec(*services: tuple[str, str, int | None]) -> MillDeploymentSpec:
    return MillDeploymentSpec.model_validate(
        {"services": [{"name": name, "image": image, "port": port} for name, image, port in services]}
    )


WEB = ("web", "registry.example:5000/team/web:1", 80)


@pytest.mark.parametrize(
    ("before", "after", "renamed"),
    [
        ([WEB], [("site", WEB[1], 80)], [("web", "site")]),
        ([WEB], [("site", "registry.example:5000/team/web:2", 80)], [("web", "site")]),
        ([WEB], [("site", "registry.example:5000/team/web@sha256:0", 80)], [("web", "site")]),
        ([WEB], [("site", WEB[1], 81)], []),
        ([WEB], [("site", "registry.example:5000/team/other:1", 80)], []),
        ([WEB], [WEB, ("site", WEB[1], 80)], []),
        ([WEB, ("site", WEB[1], 80)], [WEB], []),
        ([WEB], [("a", WEB[1], 80), ("b", WEB[1], 80)], []),
        ([("worker", "w:1", None)], [("jobs", "w:1", None)], []),
    ],
)
def test_which_services_probably_have_a_new_name(
    before: list[tuple[str, str, int | None]],
    after: list[tuple[str, str, int | None]],
    renamed: list[tuple[str, str]],
) -> None:
    found = difference(spec(*before), spec(*after)).renamed
    assert [(each.before, each.after) for each in found] == renamed
