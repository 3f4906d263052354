"""The versions of Kubernetes on which the operator starts."""

from typing import Any

import pytest

from mill_operator.core.cluster_version import refusal


@pytest.mark.parametrize(
    ("version", "refused"),
    [
        ({"major": "1", "minor": "30", "gitVersion": "v1.30.14"}, "this is Kubernetes 1.30; mill needs 1.31 or later"),
        ({"major": "1", "minor": "9+"}, "this is Kubernetes 1.9; mill needs 1.31 or later"),
        ({"major": "0", "minor": "99"}, "this is Kubernetes 0.99; mill needs 1.31 or later"),
        ({"major": "1", "minor": "31"}, None),
        ({"major": "1", "minor": "31+"}, None),
        ({"major": "1", "minor": "35"}, None),
        ({"major": "2", "minor": "0"}, None),
        ({}, None),
        ({"major": None, "minor": []}, None),
        ({"major": "one", "minor": "30"}, None),
    ],
)
def test_older_clusters_are_refused_and_unknown_ones_are_not(version: dict[str, Any], refused: str | None) -> None:
    assert refusal(version) == refused
