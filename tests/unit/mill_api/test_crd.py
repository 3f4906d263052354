"""The CRD: up to date, structural, and bounded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mill_api import crd
from mill_api.ports import Port
from mill_api.service_rules import SERVICE_RULES
from mill_api.spec import Health, MillDeploymentSpec
from mill_api.validation import problems

FILE = Path(__file__).parents[3] / "crds" / "milldeployments.yaml"


def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = crd.definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def _walk(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from _walk(child, f"{path}.{name}")
    if "items" in schema:
        yield from _walk(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _walk(schema["additionalProperties"], f"{path}{{}}")


def test_the_schema_is_structural() -> None:
    for path, schema in _walk(_schema()):
        if schema.get("x-kubernetes-int-or-string"):
            assert "type" not in schema, path
            assert schema["anyOf"] == [{"type": "integer"}, {"type": "string"}], path
        else:
            assert isinstance(schema.get("type"), str), path
            assert not {"anyOf", "allOf", "oneOf", "$ref", "title", "const", "nullable"} & set(schema), path


def test_every_field_of_the_spec_is_described_and_bounded() -> None:
    for path, schema in _walk(_schema()["properties"]["spec"]):
        if not path.endswith(("[]", "{}")):
            assert schema.get("description"), path
        match schema.get("type"):
            case "string" if "enum" not in schema:
                assert "maxLength" in schema, path
            case "array":
                assert "maxItems" in schema, path
                assert "x-kubernetes-list-type" in schema, path
            case "object" if "additionalProperties" in schema:
                assert "maxProperties" in schema, path
            case "integer":
                assert {"minimum", "maximum", "format"} <= set(schema), path


def test_every_field_of_the_status_is_described() -> None:
    for path, schema in _walk(_schema()["properties"]["status"]):
        if not path.endswith(("[]", "{}")):
            assert schema.get("description"), path


def test_lists_of_named_items_are_merged_by_their_keys() -> None:
    keys = {
        path: schema["x-kubernetes-list-map-keys"]
        for path, schema in _walk(_schema())
        if schema.get("x-kubernetes-list-type") == "map"
    }
    assert keys == {
        ".spec.services": ["name"],
        ".spec.services[].routes": ["host", "path"],
        ".spec.services[].files": ["path"],
        ".spec.services[].ports": ["name"],
        ".spec.tasks[].files": ["path"],
        ".spec.services[].volumes": ["name"],
        ".spec.tasks": ["name"],
        ".status.services": ["name"],
        ".status.tasks": ["name"],
        ".status.tasks[].runs": ["name"],
        ".status.conditions": ["type"],
    }
    for path, schema in _walk(_schema()):
        for key in schema.get("x-kubernetes-list-map-keys", ()):
            items = schema["items"]
            assert key in items["required"] or "default" in items["properties"][key], path


def test_a_resource_that_no_operator_observed_is_not_healthy() -> None:
    status = _schema()["properties"]["status"]
    assert status["default"] == {"observedGeneration": -1}
    assert not [path for path, schema in _walk(status) if "default" in schema and path]


def test_every_rule_across_fields_is_reported_with_the_message_of_the_table() -> None:
    spec = MillDeploymentSpec.model_construct(
        services=MillDeploymentSpec.model_validate(
            {"services": [{"name": "a", "image": "x", "port": 1, "health": {"path": "/"}, "routes": [{"host": "h"}]}]}
        ).services
    )
    service = spec.services[0].model_copy(
        update={
            "port": None,
            "replicas": 2,
            "volumes": MillDeploymentSpec.model_validate(
                {"services": [{"name": "a", "image": "x", "volumes": [{"name": "v", "path": "/", "size": "1G"}]}]}
            )
            .services[0]
            .volumes,
        }
    )
    volume = service.volumes[0].model_copy(update={"size": None})
    service = service.model_copy(update={"volumes": [volume], "after": ["a"]})
    empty, unused, two_kinds = Health(), Health(start="1m", interval="5s"), Health(path="/", grpc="")
    ports = [
        Port(name="main", number=1),
        Port(name="a", number=2, outside=3),
        Port(name="b", number=2, outside=3),
    ]
    many_ports = service.model_copy(update={"name": "a" * 60, "port": 1, "ports": ports})
    other_port = service.model_copy(update={"port": 1, "env": {"PORT": "2"}})
    services = [
        service,
        other_port,
        many_ports,
        *(service.model_copy(update={"name": each.interval, "health": each}) for each in (empty, unused, two_kinds)),
    ]
    said = {
        problem.message for each in services for problem in problems(spec.model_copy(update={"services": [each]}))
    } & {rule.message for rule in SERVICE_RULES}
    assert said == {rule.message for rule in SERVICE_RULES}


FIRST_RULES = {
    "size(self.metadata.name) <= 63",
    # It has become weaker: 0.1.0 had no health checks without the service's port.
    "!has(self.health) || has(self.port) || has(self.health.command) || has(self.health.port)",
    "!has(self.routes) || size(self.routes) == 0 || has(self.port)",
    "!has(self.replicas) || self.replicas <= 1 || !has(self.volumes) || self.volumes.all(v, v.ephemeral)",
    "self.ephemeral || has(self.size)",
    "self.matches(r'^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$')",
    "self.matches(r'^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$')",
    "self.matches(r'^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')",
    r"self.matches(r'^\S+$')",
    "self.matches(r'^/')",
    r"self.matches(r'^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$')",
}
"""The rules of 0.1.0, which every stored resource keeps."""


def test_a_rule_that_was_added_later_does_not_block_writes_of_the_status() -> None:
    """Before Kubernetes 1.33 the API server refuses a status if the spec breaks any rule."""
    for path, schema in _walk(_schema()):
        for rule in schema.get("x-kubernetes-validations", ()):
            if rule["rule"] in FIRST_RULES:
                continue
            assert rule.get("optionalOldSelf") is True, f"{path}: wrap {rule} in crd.added_later"
            assert rule["rule"].startswith("("), path
            assert rule["rule"].endswith(") || oldSelf.hasValue() && oldSelf.value() == self"), path


def test_a_rule_that_is_added_later_applies_to_changes_alone() -> None:
    assert crd.added_later({"rule": "self < 5 || self > 9", "message": "no"}) == {
        "rule": "(self < 5 || self > 9) || oldSelf.hasValue() && oldSelf.value() == self",
        "optionalOldSelf": True,
        "message": "no",
    }


def test_short_names_categories_and_columns() -> None:
    names = crd.definition()["spec"]["names"]
    assert names["shortNames"] == ["mill", "md"]
    assert names["categories"] == ["all", "mill"]
    columns = crd.definition()["spec"]["versions"][0]["additionalPrinterColumns"]
    assert [column["name"] for column in columns] == ["Ready", "Services", "Status", "Age", "Serving", "Active Runs"]
    assert [column["name"] for column in columns if column.get("priority")] == ["Serving", "Active Runs"]


def test_the_schema_limits_durations() -> None:
    """Evaluated by the API server's own CEL: `876600h` passes, `876601h` and `99999999999h` do not."""
    tasks = crd.definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"][
        "tasks"
    ]
    _, longest = tasks["items"]["properties"]["timeout"]["x-kubernetes-validations"]
    assert "duration(self) <= duration('876600h'))" in longest["rule"]
    assert longest["messageExpression"] == """"invalid duration '" + self + "': longer than 100 years\""""
