"""The alerts of the chart, which are those of the documentation."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from mill_operator.metrics import Metrics

ROOT = Path(__file__).parents[3]
DOCUMENTATION = (ROOT / "docs" / "operations.md").read_text()
(GROUP,) = yaml.safe_load((ROOT / "charts" / "mill" / "files" / "alerts.yaml").read_text())
RULES: list[dict[str, Any]] = GROUP["rules"]
NAMES = [rule["alert"] for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_the_documentation_has_a_row_and_an_explanation_of_each_alert(rule: dict[str, Any]) -> None:
    expression = rule["expr"].replace("|", r"\|")
    row = f"| `{rule['alert']}` | {rule['labels']['severity']} | `{expression}` | {rule.get('for', '')}"
    assert f"{row.rstrip()} |\n" in DOCUMENTATION, f"docs/operations.md should have the row\n\n{row}"
    assert f"\n- **`{rule['alert']}`**: " in DOCUMENTATION


def test_the_documentation_has_no_other_alert() -> None:
    assert re.findall(r"^\| `(Mill[A-Z]\w+)` \|", DOCUMENTATION, re.MULTILINE) == NAMES


def test_every_metric_in_an_expression_exists() -> None:
    metrics = Metrics()
    metrics.watches([])
    known = {family.name for family in metrics.registry.collect()}
    for rule in RULES:
        for name in re.findall(r"\bmill_operator_\w+", rule["expr"]):
            assert re.sub(r"_(total|bucket)$", "", name) in known, rule["alert"]
