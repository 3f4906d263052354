"""What the CRD takes of the API server's limits."""

import yaml

from hack.checks.crd import MAX_BYTES, repeated, rules, size
from mill_api import crd

CRD = yaml.safe_load(crd.to_yaml())


def test_the_crd_is_smaller_than_what_an_annotation_holds() -> None:
    assert size(CRD) <= MAX_BYTES


def test_the_copies_that_are_asked_for_have_each_rule_as_often() -> None:
    spec = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    other = repeated(CRD, 3)
    assert len(list(rules(other))) == 3 * len(list(rules(spec))) > 30
    assert other["metadata"]["name"] != CRD["metadata"]["name"]
    assert len(list(rules(CRD))) == len(list(rules(spec))) + 1, "one about the resource's name"


def test_rules_are_found_at_every_depth() -> None:
    schema = {"x-kubernetes-validations": [1], "properties": {"a": {"items": {"x-kubernetes-validations": [2, 3]}}}}
    assert list(rules(schema)) == [1, 2, 3]
