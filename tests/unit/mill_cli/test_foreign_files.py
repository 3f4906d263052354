"""Files of other tools: what they are recognized as, and that every page that is named exists."""

import re
from pathlib import Path
from typing import Any

import pytest

from mill_cli.foreign_files import recognize

ROOT = Path(__file__).parents[3]
HOW = "docs/convert.md shows how"


@pytest.mark.parametrize(
    ("document", "message", "advice"),
    [
        (
            {"version": "3", "services": {"web": {"image": "web:1"}}},
            "this looks like a Compose file, not a MillDeployment",
            f"write its services as a .mill file: {HOW}",
        ),
        (
            {"apiVersion": "apps/v1", "kind": "Deployment"},
            "this is a Kubernetes Deployment, not a MillDeployment",
            f"`kubectl apply -f` applies it as it is; as a `service` of a .mill file: {HOW}",
        ),
        (
            {"apiVersion": "batch/v1", "kind": "CronJob"},
            "this is a Kubernetes CronJob, not a MillDeployment",
            f"write it as a `task`: {HOW}",
        ),
        (
            {"apiVersion": "v1", "kind": "Secret"},
            "this is a Kubernetes Secret, not a MillDeployment",
            f"set its values with `mill secret set NAME`: {HOW}",
        ),
        (
            {"apiVersion": "x/v1", "kind": "A\n\x1b[31m" + "b" * 100},
            "this is a Kubernetes A �[31m" + "b" * 56 + ", not a MillDeployment",
            "`kubectl apply -f` applies it",
        ),
        *(
            (
                document,
                "not a MillDeployment",
                "begin with `apiVersion: mill.dev/v1alpha1` and `kind: MillDeployment`",
            )
            for document in (
                None,
                [],
                "x",
                {},
                {"kind": "Deployment"},
                {"kind": 5, "apiVersion": "v1"},
                {"services": []},
            )
        ),
    ],
)
def test_a_document_is_recognized(document: Any, message: str, advice: str) -> None:
    assert recognize(document) == (message, advice)
    for page in re.findall(r"docs/[\w-]+\.md", advice):
        assert (ROOT / page).is_file()
