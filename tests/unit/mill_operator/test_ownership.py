"""Whose an object is: ours, of a predecessor, or of another owner, and by which name."""

from dataclasses import replace
from typing import Any

import pytest

from mill_api.owner import Owner
from mill_objects.key import Key
from mill_operator.core.observed.ownership import Ownership, found_object, is_ours, ownership
from tests.support.children import OBSERVED

OWNER = Owner(Key("shop", "mill"), "parent")
LABELS = {"app.kubernetes.io/managed-by": "mill", "mill.dev/deployment": "mill", "mill.dev/service": "web"}
OURS = {"kind": "MillDeployment", "name": "mill", "uid": "parent", "controller": True}


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        (OBSERVED, Ownership.OURS),
        (replace(OBSERVED, owner_uid="", owner=""), Ownership.OURS),
        (replace(OBSERVED, kind="PersistentVolumeClaim", owner_uid="", owner=""), Ownership.OURS),
        (replace(OBSERVED, terminating=True), Ownership.OURS),
        (replace(OBSERVED, owner_uid="older"), Ownership.PREDECESSOR),
        (replace(OBSERVED, owner_uid="other", owner="MillDeployment second"), Ownership.FOREIGN),
        (replace(OBSERVED, owner_uid="other", owner="StatefulSet mill"), Ownership.FOREIGN),
        (replace(OBSERVED, kind="PersistentVolumeClaim", owner_uid="o", owner="StatefulSet db"), Ownership.FOREIGN),
        (replace(OBSERVED, deployment="second", owner_uid="", owner=""), Ownership.FOREIGN),
    ],
    ids=[
        "ours",
        "orphaned, or restored from a backup",
        "a claim has no owner",
        "being deleted",
        "of a predecessor",
        "of another MillDeployment, with our labels",
        "of another controller, with our labels",
        "a claim of another controller, with our labels",
        "an orphan of another MillDeployment",
    ],
)
def test_labels_and_controller_decide_whose_an_object_is(child: Any, expected: Ownership) -> None:
    assert ownership(child, OWNER) is expected
    assert is_ours(child, OWNER) is (expected is Ownership.OURS)


def meta(*owners: dict[str, Any], labels: Any = None, **more: Any) -> dict[str, Any]:
    known = {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "1"}
    times = {"creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"metadata": {**known, **times, "labels": labels or {}, "ownerReferences": list(owners), **more}}


@pytest.mark.parametrize(
    ("body", "whose", "owner"),
    [
        (meta(OURS, labels=LABELS), Ownership.OURS, "MillDeployment mill"),
        (meta(labels=LABELS), Ownership.OURS, "MillDeployment mill"),
        (meta(OURS), Ownership.FOREIGN, "MillDeployment mill, and lacks its labels"),
        (meta(labels={**LABELS, "app.kubernetes.io/managed-by": "Helm"}), Ownership.FOREIGN, "MillDeployment mill"),
        (meta(labels={"app.kubernetes.io/managed-by": "Helm"}), Ownership.FOREIGN, "Helm"),
        (meta({**OURS, "uid": "older"}, labels=LABELS), Ownership.PREDECESSOR, "MillDeployment mill"),
        (meta({"kind": "StatefulSet", "name": "db", "uid": "x"}), Ownership.FOREIGN, "StatefulSet db"),
        (meta(labels={**LABELS, "mill.dev/deployment": "b"}), Ownership.FOREIGN, "MillDeployment b"),
        (
            meta(managedFields=[{"manager": "kcm", "subresource": "status"}, {"manager": "kubectl"}]),
            Ownership.FOREIGN,
            "kubectl",
        ),
        (
            meta(
                managedFields=[
                    {"manager": "kube-controller-manager", "fieldsV1": {"f:metadata": {"f:annotations": {}}}},
                    {"manager": "kube-scheduler", "fieldsV1": {"f:spec": {"f:volumeName": {}}}},
                    {"manager": "helm", "fieldsV1": {"f:spec": {"f:accessModes": {}, "f:resources": {}}}},
                ]
            ),
            Ownership.FOREIGN,
            "helm",
        ),
        (meta(), Ownership.FOREIGN, "another owner"),
        ({"metadata": {"labels": LABELS}}, Ownership.FOREIGN, "MillDeployment mill"),
    ],
    ids=[
        "ours",
        "orphaned",
        "our owner alone",
        "labels of another tool",
        "of another tool",
        "of a predecessor",
        "of a controller",
        "of another MillDeployment",
        "made by hand",
        "a claim that controllers have annotated and bound",
        "of nobody known",
        "without a name",
    ],
)
def test_an_object_that_was_looked_up_names_its_owner(body: dict[str, Any], whose: Ownership, owner: str) -> None:
    found = found_object("Service", body, OWNER)
    assert (found.ownership, found.owner) == (whose, owner)


def test_a_name_that_others_wrote_is_one_printable_line() -> None:
    hostile = {"kind": "Evil\n", "name": "x\x1b[31m" + "y" * 5000, "uid": "u"}
    found = found_object("Service", meta(hostile), OWNER)
    assert "\n" not in found.owner
    assert "\x1b" not in found.owner
    assert len(found.owner) < 1000
