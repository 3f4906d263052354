"""The patch that replaces a spec, or asks for a new rollout of the same."""

from typing import Any

from mill_api.spec import MillDeploymentSpec, Service
from mill_gateway.core.patches import force_patch, new_resource, replace_patch
from mill_gateway.objects.deployments import Deployment, project_deployment
from mill_objects.key import Key

SPEC = MillDeploymentSpec(services=[Service(name="web", image="web:1", port=8080)])
OTHER = MillDeploymentSpec(services=[Service(name="web", image="web:2", port=8080)])
REQUEST = "/metadata/annotations/mill.dev~1request"


def _current(annotations: dict[str, str] | None = None, spec: dict[str, Any] | None = None) -> Deployment:
    metadata: dict[str, Any] = {
        "name": "mill",
        "namespace": "shop",
        "uid": "u-1",
        "generation": 4,
        "resourceVersion": "7",
    }
    if annotations is not None:
        metadata["annotations"] = annotations
    return project_deployment({"metadata": metadata, "spec": SPEC.to_wire() if spec is None else spec})


TESTS = [
    {"op": "test", "path": "/metadata/uid", "value": "u-1"},
    {"op": "test", "path": "/metadata/generation", "value": 4},
]


def test_another_spec_replaces_the_whole_spec_of_that_very_generation() -> None:
    assert replace_patch(_current(), OTHER, "r") == [*TESTS, {"op": "add", "path": "/spec", "value": OTHER.to_wire()}]


def test_an_old_request_is_removed_with_its_spec() -> None:
    patch = replace_patch(_current({"mill.dev/request": "old"}), OTHER, "r")
    assert patch[-1] == {"op": "remove", "path": REQUEST}


def test_the_same_spec_asks_for_a_new_rollout_and_leaves_the_spec_alone() -> None:
    assert replace_patch(_current({"a": "b"}), SPEC, "r") == [*TESTS, {"op": "add", "path": REQUEST, "value": "r"}]


def test_annotations_are_made_where_there_are_none() -> None:
    patch = replace_patch(_current(), SPEC, "r")
    assert patch[2:] == [
        {"op": "add", "path": "/metadata/annotations", "value": {}},
        {"op": "add", "path": REQUEST, "value": "r"},
    ]


def test_defaults_of_the_api_server_are_no_difference() -> None:
    spec = SPEC.to_wire()
    assert "memory" not in spec["services"][0]
    spec["services"][0]["memory"] = "256M"
    assert replace_patch(_current(spec=spec), SPEC, "r")[-1]["path"] == REQUEST


def test_an_unreadable_spec_is_replaced() -> None:
    current = _current(spec={"services": [{"name": "Web!"}]})
    assert replace_patch(current, SPEC, "r")[-1]["path"] == "/spec"


def test_a_forced_patch_removes_tasks_that_are_no_longer_in_the_file() -> None:
    spec = force_patch("u-1", SPEC, "r")["spec"]
    assert spec == {"services": [{"name": "web", "image": "web:1", "port": 8080}], "tasks": None}


ASKED = "/metadata/annotations/mill.dev~1asked"


def test_who_asks_is_written_with_the_spec_and_with_a_new_rollout_of_the_same() -> None:
    assert replace_patch(_current(), OTHER, "r", "who")[2:] == [
        {"op": "add", "path": "/spec", "value": OTHER.to_wire()},
        {"op": "add", "path": "/metadata/annotations", "value": {}},
        {"op": "add", "path": ASKED, "value": "who"},
    ]
    assert replace_patch(_current({"a": "b"}), SPEC, "r", "who")[2:] == [
        {"op": "add", "path": ASKED, "value": "who"},
        {"op": "add", "path": REQUEST, "value": "r"},
    ]
    assert force_patch("u-1", SPEC, "r", "who")["metadata"]["annotations"] == {
        "mill.dev/request": "r",
        "mill.dev/asked": "who",
    }
    key = Key("shop", "mill")
    assert new_resource(key, SPEC, "who")["metadata"] == {
        "name": "mill",
        "namespace": "shop",
        "annotations": {"mill.dev/asked": "who"},
    }
    assert new_resource(key, SPEC)["metadata"] == {"name": "mill", "namespace": "shop"}
