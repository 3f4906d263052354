"""The table of rules: each row has all that people and tools need to know about a cause."""

import json
from datetime import timedelta
from pathlib import Path
from string import Formatter

import pytest

from mill_operator.core.tasks.run_rules import RUN_RULES
from mill_operator.core.verdicts.rule import AT_ONCE, Reason, Speed
from mill_operator.core.verdicts.rules import TABLE
from mill_operator.core.verdicts.rules.progress import NOT_BEGUN, NOT_STOPPED, RELEASE_FAILED, TIMEOUT, WAITING
from mill_operator.failure_codes import to_json, to_markdown

ROOT = Path(__file__).parents[3]
ALL = [*TABLE, NOT_BEGUN, RELEASE_FAILED, WAITING, TIMEOUT, NOT_STOPPED, *RUN_RULES]


def test_ids_of_rules_are_unique() -> None:
    assert len({rule.id for rule in ALL}) == len(ALL)


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_a_row_has_all_texts_and_a_fitting_grace_period(rule: Reason) -> None:
    assert rule.code[0].isupper()
    assert rule.code.isalnum()
    assert rule.evidence
    assert not rule.evidence.endswith(".")
    assert rule.suggestion
    assert not rule.message.endswith(".")
    assert list(Formatter().parse(rule.message + rule.suggestion))
    permanent = rule.speed in (Speed.PERMANENT, Speed.NO_EVIDENCE)
    assert not (permanent and rule.grace > AT_ONCE)
    assert not (rule.speed is Speed.NEEDS_TIME and rule.grace == AT_ONCE)


def test_a_version_is_taken_back_for_its_image_start_run_and_health_alone() -> None:
    """What names a cause outside the version, or none, heals without another version, or meets the older one too."""
    own_faults = {
        *("image-platform", "image-incomplete", "image-format", "image-broken", "image-short-name", "image-name"),
        *("image-never-pulled", "image-signature", "image-missing", "image-denied", "image-denied-named"),
        *(
            "start-format",
            "start-command",
            "start-command-alone",
            "start-interpreter",
            "start-directory",
            "start-memory",
            "image-user",
        ),
        *(
            "sandbox-memory",
            "out-of-memory",
            "live-check",
            "ended",
            "shared-library",
            "disk-permission",
            "read-only-root",
            "crash",
            "storage-limit",
        ),
        *("unready-port", "unready"),
    }
    assert {rule.id for rule in ALL if rule.is_own_fault} == own_faults


def test_nothing_that_kubernetes_heals_fails_before_kubernetes_can_heal_it() -> None:
    """Times of Kubernetes: pods leave a lost node, volumes are detached by force, a provisioner is asked again."""
    kubernetes = {"node-lost": 300, "volume-in-use": 360, "volume-provisioning": 300, "sandbox-slow": 120}
    for rule in TABLE:
        if rule.id in kubernetes:
            assert rule.grace >= timedelta(seconds=kubernetes.pop(rule.id) + 60)
    assert not kubernetes


def test_every_code_has_its_section_in_the_documentation() -> None:
    headings = [line.removeprefix("## ") for line in to_markdown().splitlines() if line.startswith("## ")]
    assert headings == list(dict.fromkeys(rule.code for rule in ALL))


def test_every_cause_is_in_what_the_command_line_explains() -> None:
    codes = json.loads(to_json())["codes"]
    assert list(codes) == list(dict.fromkeys(rule.code for rule in ALL))
    for code, entry in codes.items():
        assert [cause["rule"] for cause in entry["causes"]] == [rule.id for rule in ALL if rule.code == code]
    assert codes["SecretNotFound"]["causes"] == [
        {
            "message": 'secret "<secret>" not found',
            "seen": "the event `FailedMount` of the pod: the secret of a file does not exist",
            "fails": "after 30 s (likely)",
            "suggestion": "Set it: mill secret set <secret> VALUE",
            "takes_back": "no",
            "rule": "secret-file",
        },
        {
            "message": 'secret "<secret>" not found',
            "seen": "`CreateContainerConfigError`: the Secret, or the key in it, does not exist",
            "fails": "after 30 s (likely)",
            "suggestion": "Set it: mill secret set <secret> VALUE",
            "takes_back": "no",
            "rule": "secret-missing",
        },
    ]
