"""The CustomResourceDefinition, generated from the models of `spec` and `status`."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import yaml

from mill_api import names
from mill_api.durations import LONGEST
from mill_api.spec import DURATION, REFUSAL, ApiModel, MillDeploymentSpec
from mill_api.status import MillDeploymentStatus
from mill_objects.json import Json

Schema = Json
"""A part of the definition."""


def added_later(rule: Schema) -> Schema:
    """Return a rule of the spec that was not in the first release, so that it is about what changes alone.

    A write of the status is checked by all rules of the spec, too. Before Kubernetes 1.33 a rule that is broken by what
    was stored before it was there refuses every such write, so that the resource could have no status any more. (What
    OpenAPI says, as `maximum`, is checked only of the part that is written: it needs no such care.) What is in a list
    whose items have no keys has no old value: such a rule stands at the list.
    """
    unchanged = "oldSelf.hasValue() && oldSelf.value() == self"
    return rule | {"rule": f"{unchanged} || ({rule['rule']})", "optionalOldSelf": True}


SERVICE_RULES: Final[list[Schema]] = [
    {"rule": "!has(self.health) || has(self.port)", "message": "a health check needs a port"},
    {"rule": "!has(self.routes) || size(self.routes) == 0 || has(self.port)", "message": "a route needs a port"},
    {
        "rule": "!has(self.replicas) || self.replicas <= 1 || !has(self.volumes) || self.volumes.all(v, v.ephemeral)",
        "message": "a persistent volume allows one replica",
    },
]
"""Rules across the fields of one service, in the parser's words. Across services they exceed the server's budget."""

VOLUME_RULES: Final[list[Schema]] = [
    {"rule": "self.ephemeral || has(self.size)", "message": "persistent volume must have a size"}
]

NAME_RULES: Final[list[Schema]] = [
    {"rule": "size(self.metadata.name) <= 63", "message": "the name may have at most 63 characters: it is a label too"}
]

_RULES: Final[Mapping[str, list[Schema]]] = {"Service": SERVICE_RULES, "Volume": VOLUME_RULES}
_LIST_KEYS: Final[Mapping[str, list[str]]] = {
    "Service": ["name"],
    "Task": ["name"],
    "Volume": ["name"],
    "Route": ["host", "path"],
    "ServiceStatus": ["name"],
    "TaskStatus": ["name"],
    "TaskRun": ["name"],
    "Condition": ["type"],
}
_KEPT: Final = frozenset(
    {
        *("type", "description", "default", "enum", "format", "pattern", "required", "minimum", "maximum"),
        *("minLength", "maxLength", "minItems", "maxItems", "maxProperties"),
    }
)
_MAX_INT32: Final = 2**31 - 1

COLUMNS: Final[list[Schema]] = [
    {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
    {"name": "Services", "type": "string", "jsonPath": ".status.healthy"},
    {"name": "Status", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].message'},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
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


def structural(model: type[ApiModel], *, defaults: bool = True) -> Schema:
    """Convert a model to a structural schema: everything inline, and no `null` where leaving out says the same."""
    schema = model.model_json_schema(by_alias=True)
    return _Converter(schema.get("$defs", {}), defaults=defaults).convert(schema, model.__name__)


def _root() -> Schema:
    status = structural(MillDeploymentStatus, defaults=False)
    # What no operator has seen yet must not look like what one has seen: kstatus compares this with the generation.
    status["default"] = {"observedGeneration": -1}
    return {
        "type": "object",
        "description": "Services and tasks of one .mill file, kept running, with one verdict on every rollout.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": "Version of the API that this object is written in."},
            "kind": {"type": "string", "description": f"Always {names.KIND}."},
            "metadata": {"type": "object"},
            "spec": structural(MillDeploymentSpec),
            "status": status,
        },
        "x-kubernetes-validations": NAME_RULES,
    }


def _in_words(pattern: str, refusal: str) -> Schema:
    """Return the rule that refuses a text in our words."""
    before, after = refusal.split("{}")
    return {
        "rule": f"self.matches(r'{pattern}')",
        "messageExpression": f'"{before}" + self + "{after}"',
        "message": refusal.replace("'{}' is", "this is").replace(", got '{}'", ""),
    }


def _not_too_long(pattern: str, refusal: str) -> Schema:
    """Return the rule that refuses a duration which is too long. One that is none is refused by another rule."""
    before, after = refusal.split("{}")
    hours, years = LONGEST // timedelta(hours=1), LONGEST // timedelta(days=365.25)
    return added_later(
        {
            "rule": f"!self.matches(r'{pattern}') || duration(self) <= duration('{hours}h')",
            "messageExpression": f'"{before}" + self + "{after}: longer than {years} years"',
            "message": f"this duration is longer than {years} years",
        }
    )


class _Converter:
    """JSON schema, as pydantic writes it, to what the API server takes."""

    def __init__(self, definitions: Mapping[str, Schema], *, defaults: bool) -> None:
        self._definitions = definitions
        self._defaults = defaults

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
        if model is not None and model in _RULES and self._defaults:
            result["x-kubernetes-validations"] = _RULES[model]
        if REFUSAL in schema:
            # The pattern stays, for editors and for checks without a server; the rule says it in words.
            result["x-kubernetes-validations"] = [_in_words(schema["pattern"], schema[REFUSAL])]
        if DURATION in schema:
            result["x-kubernetes-validations"].append(_not_too_long(schema["pattern"], schema[REFUSAL]))
        return result

    def _resolve(self, schema: Schema, model: str | None) -> tuple[Schema, str | None]:
        """Follow references and drop `null` alternatives. What stands at the field wins over the model's own words."""
        while "anyOf" in schema or "$ref" in schema:
            outer = {key: value for key, value in schema.items() if key not in ("anyOf", "$ref")}
            if "$ref" in schema:
                model = schema["$ref"].rpartition("/")[2]
                schema = self._definitions[model] | outer
                continue
            options = [option for option in schema["anyOf"] if option.get("type") != "null"]
            if len(options) != 1:
                raise TypeError(f"a field of one type was expected, not {options}")
            schema = options[0] | outer
        return schema, model

    def _items(self, items: Schema) -> Schema:
        _, model = self._resolve(items, None)
        keys = _LIST_KEYS.get(model or "")
        kind = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys} if keys else {}
        return {"items": self.convert(items)} | (kind or {"x-kubernetes-list-type": "atomic"})

    def _int_or_string(self, schema: Schema) -> Schema:
        kept = {key: value for key, value in schema.items() if key in _KEPT - {"type"}}
        if kept.get("default", ...) is None:
            del kept["default"]
        # The pattern is about texts, the minimum about numbers.
        forms = [{"type": "integer"}, {"type": "string"}]
        return kept | {"minimum": 0, "anyOf": forms, "x-kubernetes-int-or-string": True}


class _Dumper(yaml.SafeDumper):
    """YAML without anchors, indented as people do."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - of the base class
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, indentless=False)
