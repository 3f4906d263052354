"""The CustomResourceDefinition, generated from the models of `spec` and `status`."""

import json
from collections.abc import Mapping
from typing import Any, Final

import yaml

from mill_api import file_rules, names, order_rules, schedule_rules
from mill_api.constraints import TextRule
from mill_api.fields import TEXT_RULE, ApiModel
from mill_api.service_rules import SERVICE_RULES
from mill_api.spec import MillDeploymentSpec
from mill_api.status import MillDeploymentStatus
from mill_api.text_rules import DURATION, TEXT_RULES
from mill_objects.json import Json

Schema = Json
"""A part of the definition."""


def added_later(rule: Schema) -> Schema:
    """Return a rule of the spec that release 0.1.0 did not have, so that it applies to changes alone.

    The API server applies all CEL rules of the spec to a write of the status, too. Before Kubernetes 1.33, a rule that
    a stored spec breaks refuses every such write, and the resource would never have a status again. (An OpenAPI keyword
    such as `maximum` is applied only to the part that is written, and needs no such care.) The items of a list without
    keys have no old value: a rule of theirs must stand at the list. The rule comes first, since a comparison of a whole
    service costs more, and is needed only for one that breaks the rule.
    """
    unchanged = "oldSelf.hasValue() && oldSelf.value() == self"
    return rule | {"rule": f"({rule['rule']}) || {unchanged}", "optionalOldSelf": True}


NAME_RULES: Final[list[Schema]] = [
    {"rule": "size(self.metadata.name) <= 63", "message": "the name may have at most 63 characters: it is a label too"}
]

_LIST_KEYS: Final[Mapping[str, list[str]]] = {
    "Service": ["name"],
    "Task": ["name"],
    "Volume": ["name"],
    "File": ["path"],
    "Port": ["name"],
    "Route": ["host", "path"],
    "ServiceStatus": ["name"],
    "TaskStatus": ["name"],
    "TaskRun": ["name"],
    "Condition": ["type"],
}
_ADDED_RULES: Final = {
    "File": ((file_rules.CEL, file_rules.CEL_MESSAGE),),
    "Task": (*schedule_rules.CEL_RULES, *order_rules.CEL_RULES),
}
"""By the model: its rules across fields, which release 0.1.0 did not have."""
_KEPT: Final = frozenset(
    {
        *("type", "description", "default", "enum", "format", "pattern", "required", "minimum", "maximum"),
        *("minLength", "maxLength", "minItems", "maxItems", "maxProperties"),
    }
)
_LIST_TYPE: Final = "x-kubernetes-list-type"
_MAX_INT32: Final = 2**31 - 1

COLUMNS: Final[list[Schema]] = [
    {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
    {"name": "Services", "type": "string", "jsonPath": ".status.healthy"},
    {"name": "Status", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].message'},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    {"name": "Serving", "type": "string", "priority": 1, "jsonPath": ".status.serving"},
    {"name": "Active Runs", "type": "integer", "priority": 1, "jsonPath": ".status.activeRuns"},
]

_HEADER: Final = "# Generated from the models in crds/mill_api by `make generate`; do not edit.\n"


def definition() -> Schema:
    """Return the CustomResourceDefinition."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names.PLURAL}.{names.GROUP}"},
        "spec": {
            "group": names.GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": names.KIND,
                "listKind": f"{names.KIND}List",
                "plural": names.PLURAL,
                "singular": names.KIND.lower(),
                "shortNames": ["mill", "md"],
                "categories": ["all", "mill"],
            },
            "versions": [
                {
                    "name": names.VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": COLUMNS,
                    "schema": {"openAPIV3Schema": _root()},
                }
            ],
        },
    }


def to_yaml() -> str:
    """Return the CustomResourceDefinition as the text of its file."""
    text: str = yaml.dump(definition(), Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)
    return _HEADER + text


def structural(model: type[ApiModel], *, defaults: bool = True, explained: bool = False) -> Schema:
    """Convert a model to a structural schema: everything inline, and no `null` where leaving out says the same.

    If it is `explained`, descriptions end with default and limits, which `kubectl explain` does not show otherwise.
    """
    schema = model.model_json_schema(by_alias=True)
    return _Converter(schema.get("$defs", {}), defaults=defaults, explained=explained).convert(schema, model.__name__)


def limits(schema: Mapping[str, Any]) -> str:
    """Return the limits of a field as a sentence; empty if it has none."""
    match schema:
        case {"minimum": least, "maximum": most}:
            return f"From {least} to {most}."
        case {"maxLength": most}:
            return f"At most {most} characters."
        case {"maxItems": most} | {"maxProperties": most}:
            return f"At most {most} entries."
    return ""


def _root() -> Schema:
    status = structural(MillDeploymentStatus, defaults=False)
    # A resource that no operator has observed must not look like an observed one: kstatus compares the generations.
    status["default"] = {"observedGeneration": -1}
    return {
        "type": "object",
        "description": "Services and tasks of one .mill file. The operator keeps the services running, and reports a "
        "verdict on every rollout.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": "Version of the API in which this object is written."},
            "kind": {"type": "string", "description": f"Always {names.KIND}."},
            "metadata": {"type": "object"},
            "spec": structural(MillDeploymentSpec, explained=True),
            "status": status,
        },
        "x-kubernetes-validations": NAME_RULES,
    }


def rules_of_model(model: str) -> list[Schema]:
    """Return the rules across the fields of a model."""
    rules = [added_later({"rule": rule, "message": message}) for rule, message in _ADDED_RULES.get(model, ())]
    for rule in SERVICE_RULES:
        if rule.cel_model == model:
            cel = {"rule": rule.cel, "message": rule.message}
            rules.append(added_later(cel) if rule.is_added_later else cel)
    return rules


def rules_of_text(rule: TextRule) -> list[Schema]:
    """Return the rules of one kind of text. The pattern is a keyword too, for editors and checks without a server."""
    if not rule.has_cel:
        return []
    matches = f"self.matches(r'{rule.pattern}')"
    rules = [{"rule": matches, **_messages(rule.refusal)}]
    limit = rule.added_limit
    if limit is not None:  # a text that does not match is refused by the rule before
        rules.append(added_later({"rule": f"!{matches} || {limit.cel}", **_messages(limit.refusal)}))
    return rules


def _messages(refusal: str) -> Schema:
    """Return a message with the refused text, and the one that Kubernetes shows where it cannot evaluate that."""
    before, after = refusal.split("{}")
    plain = refusal.replace("'{}' is", "this is").replace(", got '{}'", "").replace(" '{}'", "")
    return {"messageExpression": f'"{before}" + self + "{after}"', "message": plain}


def _explained(schema: Schema, *, is_notation: bool) -> str:
    """Return a description with default and limits. The length of a notation, such as a duration, limits nothing."""
    default = f"Default: {_json(schema['default'])}." if "default" in schema else ""
    return " ".join(filter(None, (schema["description"], default, "" if is_notation else limits(schema))))


def _is_duration(schema: Schema) -> bool:
    name = schema.get(TEXT_RULE)
    return name is not None and TEXT_RULES[name].pattern == DURATION.pattern


def _json(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


class _Converter:
    """Converter from JSON schema, as pydantic writes it, to a structural schema, as the API server accepts it."""

    def __init__(self, definitions: Mapping[str, Schema], *, defaults: bool, explained: bool) -> None:
        self._definitions = definitions
        self._defaults = defaults
        self._explained = explained

    def convert(self, schema: Schema, model: str | None = None) -> Schema:
        schema, model = self._resolve(schema, model)
        if schema.get("x-kubernetes-int-or-string"):
            return self._int_or_string(schema)
        result = {key: value for key, value in schema.items() if key in _KEPT}
        if "const" in schema:
            result["enum"] = [schema["const"]]
        if not self._defaults or result.get("default", ...) is None:
            result.pop("default", None)
        if schema.get("type") == "integer":
            bounded = "minimum" in schema and schema.get("maximum", 2**63) <= _MAX_INT32
            result["format"] = "int32" if bounded else "int64"
        if "properties" in schema:
            result["properties"] = {name: self.convert(value) for name, value in schema["properties"].items()}
        if isinstance(schema.get("additionalProperties"), dict):
            result["additionalProperties"] = self.convert(schema["additionalProperties"])
        if "items" in schema:
            result |= self._items(schema["items"])
        if _LIST_TYPE in schema:
            result[_LIST_TYPE] = schema[_LIST_TYPE]
        rules = rules_of_model(model) if model is not None and self._defaults else []
        if TEXT_RULE in schema:
            rules = rules_of_text(TEXT_RULES[schema[TEXT_RULE]])
        if rules:
            result["x-kubernetes-validations"] = rules
        if self._explained and "description" in result:
            result["description"] = _explained(result, is_notation=_is_duration(schema))
        return result

    def _resolve(self, schema: Schema, model: str | None) -> tuple[Schema, str | None]:
        """Follow references and drop `null` alternatives. Keywords at the field win over those of its model."""
        while "anyOf" in schema or "$ref" in schema:
            outer = {key: value for key, value in schema.items() if key not in ("anyOf", "$ref")}
            if "$ref" in schema:
                model = schema["$ref"].rpartition("/")[2]
                schema = self._definitions[model] | outer
                continue
            options = [option for option in schema["anyOf"] if option.get("type") != "null"]
            if len(options) != 1:
                raise TypeError(f"expected a field of one type, got {options}")
            schema = options[0] | outer
        return schema, model

    def _items(self, items: Schema) -> Schema:
        _, model = self._resolve(items, None)
        keys = _LIST_KEYS.get(model or "")
        kind = {_LIST_TYPE: "map", "x-kubernetes-list-map-keys": keys} if keys else {}
        return {"items": self.convert(items)} | (kind or {_LIST_TYPE: "atomic"})

    def _int_or_string(self, schema: Schema) -> Schema:
        kept = {key: value for key, value in schema.items() if key in _KEPT - {"type"}}
        if kept.get("default", ...) is None:
            del kept["default"]
        # The pattern applies to texts, the minimum to numbers.
        forms = [{"type": "integer"}, {"type": "string"}]
        if self._explained and "description" in kept:
            kept["description"] = _explained(kept, is_notation=True)
        return kept | {"minimum": 0, "anyOf": forms, "x-kubernetes-int-or-string": True}


class _Dumper(yaml.SafeDumper):
    """YAML without anchors, with indented lists."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - of the base class
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, indentless=False)
