"""What an apply has put back, as it is reported: which fields, from what to what, and by whom they had been changed."""

import json
from copy import deepcopy
from typing import Any

import pytest

from mill_operator.core import limits
from mill_operator.core.observed.edits import Edit, read_edit

OURS: dict[str, Any] = {
    "spec": {
        "replicas": 2,
        "strategy": {"type": "Recreate"},
        "template": {
            "metadata": {"labels": {"mill.dev/service": "web"}},
            "spec": {
                "serviceAccountName": "web",
                "containers": [
                    {
                        "name": "web",
                        "image": "web:1",
                        "command": ["serve"],
                        "env": [{"name": "KEY", "value": "s3cret"}],
                        "resources": {"limits": {"memory": "64Mi"}},
                    }
                ],
            },
        },
    }
}
POD = ("template", "spec")
CONTAINER = (*POD, "containers", 0)
REPLICAS = {"f:spec": {"f:replicas": {}}}


def changed(*changes: tuple[tuple[Any, ...], Any], managers: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return the object after changes of its spec; a value of None removes a field."""
    body = deepcopy(OURS) | {"metadata": {"managedFields": managers or []}}
    for path, value in changes:
        place = body["spec"]
        for part in path[:-1]:
            place = place[part]
        if value is None:
            del place[path[-1]]
        else:
            place[path[-1]] = value
    return body


def entry(manager: str, fields: dict[str, Any], at: str = "2026-01-01T00:00:00Z", **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "fieldsV1": fields, "time": at, **more}


def of_container(*fields: str) -> dict[str, Any]:
    containers = {'k:{"name":"web"}': {f"f:{field}": {} for field in fields}}
    return {"f:spec": {"f:template": {"f:spec": {"f:containers": containers}}}}


def read(edited: dict[str, Any]) -> Edit:
    edit = read_edit(edited, OURS, OURS)
    assert edit is not None
    return edit


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ([(("replicas",), 5)], "replicas 5 → 2"),
        ([(("replicas",), 0)], "replicas 0 → 2"),
        ([((*CONTAINER, "image"), "web:2")], "image web:2 → web:1 of container web"),
        ([((*CONTAINER, "image"), "evil\x1b[31m\n:1")], "image evil :1 → web:1 of container web"),
        ([((*CONTAINER, "image"), "http://me:hunter2@a/web")], "image http://***@a/web → web:1 of container web"),
        ([((*CONTAINER, "env"), [{"name": "KEY", "value": "hunter2"}])], "env of container web"),
        ([((*CONTAINER, "env"), None)], "env of container web"),
        ([((*CONTAINER, "command"), ["serve", "--password=hunter2"])], "command of container web"),
        ([((*CONTAINER, "resources"), {})], "resources of container web"),
        ([((*POD, "serviceAccountName"), "admin")], "serviceAccountName of the pods"),
        ([(("template", "metadata", "labels"), {})], "labels of the pods"),
        ([(("strategy",), {"type": "RollingUpdate"})], "strategy"),
        ([((*POD, "containers"), [{"name": "other"}])], "container web"),
        ([(("template",), None)], "container web; the pods"),
        (
            [((*CONTAINER, "env"), []), ((*CONTAINER, "image"), "web:2"), (("replicas",), 5)],
            "replicas 5 → 2; image web:2 → web:1 of container web; env of container web",
        ),
        (
            [(("strategy",), {}), *(((*CONTAINER, each), None) for each in ("image", "command", "env", "resources"))],
            "image none → web:1 of container web; strategy; command of container web; env of container web; 1 more",
        ),
    ],
)  # fmt: skip
def test_the_changed_fields_are_named_and_few_of_their_values(changes: list[Any], text: str) -> None:
    edit = read(changed(*changes))
    assert edit.change == text
    assert "hunter2" not in repr(edit)
    assert "s3cret" not in repr(edit)


def test_of_a_cron_job() -> None:
    def cron_job(*, suspend: bool, image: str, retries: int) -> dict[str, Any]:
        pods = {"spec": {"containers": [{"name": "migrate", "image": image}]}}
        return {"spec": {"suspend": suspend, "jobTemplate": {"spec": {"backoffLimit": retries, "template": pods}}}}

    right = cron_job(suspend=True, image="web:1", retries=0)
    edit = read_edit(cron_job(suspend=False, image="web:2", retries=6), right, right)
    assert edit is not None
    assert edit.change == "suspend false → true; image web:2 → web:1 of container migrate; backoffLimit of the runs"


def test_what_the_apply_did_not_change_is_no_edit() -> None:
    """Others may have added fields, the API server its defaults; and another client may write at the same moment."""
    edited = changed((("paused",), True), ((*CONTAINER, "stdin"), True))
    assert read_edit(edited, edited, OURS) is None
    assert read_edit(edited, OURS, OURS) is None
    without_replicas = changed((("replicas",), None))
    assert read_edit(changed((("replicas",), 3)), changed((("replicas",), 4)), without_replicas) is None


@pytest.mark.parametrize(
    ("managers", "by"),
    [
        ([], ""),
        ([entry("kubectl-edit", REPLICAS)], "kubectl-edit"),
        ([entry("kubectl", REPLICAS, subresource="scale")], "kubectl-scale"),
        ([entry("mill-operator", REPLICAS), entry("lens", {}, at="2020-01-01T00:00:00Z")], "lens"),
        ([entry("kube-controller-manager", REPLICAS, subresource="status"), entry("lens", REPLICAS)], "lens"),
        ([entry("first", REPLICAS), entry("second", REPLICAS, at="2026-01-02T00:00:00Z")], "second"),
        ([entry("odd\x1b[31m\nname" * 50, REPLICAS)], ("odd name" * 50)[: limits.EDIT_VALUE_BYTES].strip()),
        ([{"manager": 5, "fieldsV1": REPLICAS, "time": 7}, entry("", REPLICAS)], ""),
        ([entry("lens", {"f:spec": None}), {"manager": "odd", "fieldsV1": ["f:spec"]}], "lens"),
        ([{"manager": "odd", "fieldsV1": ["f:spec"]}, None, 5], "odd"),
    ],
)
def test_the_newest_owner_of_a_field_has_changed_it(managers: list[dict[str, Any]], by: str) -> None:
    assert read(changed((("replicas",), 5), managers=managers)).by == by


def test_the_managers_of_several_fields() -> None:
    changes = [(("replicas",), 5), ((*CONTAINER, "image"), "web:2"), ((*CONTAINER, "env"), [])]
    image, env = entry("kubectl-set", of_container("image")), entry("kubectl-edit", of_container("env"))
    scale = entry("kubectl", REPLICAS, subresource="scale")
    assert read(changed(*changes[:2], managers=[image, env, scale])).by == "kubectl-scale and kubectl-set"
    assert read(changed(*changes, managers=[image, env, scale])).by == "kubectl-scale and kubectl-set and 1 more"


def test_who_removes_a_field_does_not_own_it_and_is_the_last_writer() -> None:
    image = entry("kubectl-set", of_container("image"))
    later = entry("kubectl-edit", of_container("args"), at="2026-01-02T00:00:00Z")
    assert read(changed(((*CONTAINER, "env"), None), managers=[later, image])).by == "kubectl-edit"


@pytest.mark.parametrize("key", ["k:", "k:{", "k:[1]", 'k:{"name":5}', "k:" + "[" * 500, "k:" + "1" * 10_000, "v:1"])
def test_an_odd_list_key_is_no_owner(key: str) -> None:
    odd = {"f:spec": {"f:template": {"f:spec": {"f:containers": {key: {"f:image": {}}}}}}}
    right = entry("right", of_container("image"), at="2020-01-01T00:00:00Z")
    assert read(changed(((*CONTAINER, "image"), "web:2"), managers=[entry("odd", odd), right])).by == "right"


@pytest.mark.parametrize(
    ("manager", "more", "is_autoscaled"),
    [
        ("kube-controller-manager", {"subresource": "scale"}, True),
        ("k3s", {"subresource": "scale"}, True),
        ("kubelite", {"subresource": "scale"}, True),
        ("kubectl", {"subresource": "scale"}, False),
        ("kube-controller-manager", {}, False),
    ],
)
def test_an_autoscaler_is_known_by_its_field_manager(manager: str, more: dict[str, str], is_autoscaled: bool) -> None:
    edit = read(changed((("replicas",), 5), managers=[entry(manager, REPLICAS, **more)]))
    assert edit.is_autoscaled is is_autoscaled
    assert edit.by == ("kubectl-scale" if manager == "kubectl" else manager)


def test_its_length_is_bounded() -> None:
    body = changed(((*CONTAINER, "image"), "i" * 100_000), (("replicas",), 10**5000))
    edit = read(body)
    assert len(edit.change.encode()) <= limits.EDIT_BYTES
    assert len(json.dumps(edit.change)) < 1000
