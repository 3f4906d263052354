"""The same objects without a MillDeployment: what somebody would apply who wants the very same pods.

They are made of a sample that the operator has applied, so that both sides write the same fields: nothing that the API
server fills in is written by one side only.
"""

import json
from typing import Any

from mill_api import names

Json = Any

_OWN_LABELS = {f"{names.GROUP}/": "bare.example/", f'"{names.MANAGED_BY}"': '"bench"'}
"""What wakes the operator, and what stands in its place."""


def applied(body: Json) -> Json:
    """Return only what was applied of an object, told by its managed fields."""
    entry = next(
        each for each in body["metadata"]["managedFields"] if each["operation"] == "Apply" and "subresource" not in each
    )
    identity = {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": {"name": body["metadata"]["name"]}}
    return _merge(identity, _owned(body, entry["fieldsV1"]))


def renamed(body: Json, old: dict[str, str]) -> str:
    """Return an object as text under other names and without owner; `old` maps names to what stands for them."""
    meta = {"name": body["metadata"]["name"], "labels": body["metadata"]["labels"]}
    text = json.dumps({**body, "metadata": meta})
    for before, after in (_OWN_LABELS | old).items():
        text = text.replace(before, after)
    return text


def _owned(value: Json, fields: Json) -> Json:
    """Follow a tree of managed fields: `f:` is a field, `k:` an item of a list by its keys, `v:` by its value."""
    below = {name: tree for name, tree in fields.items() if name != "."}
    if not below:
        return value
    if isinstance(value, dict):
        return {
            name.removeprefix("f:"): _owned(value[name.removeprefix("f:")], tree)
            for name, tree in below.items()
            if name.removeprefix("f:") in value
        }
    items = []
    for name, tree in below.items():
        wanted = json.loads(name[2:])
        if name.startswith("v:"):
            items.append(wanted)
        else:
            item = next(each for each in value if all(each.get(key) == its for key, its in wanted.items()))
            items.append(wanted | _owned(item, tree))
    return items


def _merge(one: Json, other: Json) -> Json:
    """Return both objects as one."""
    return {**one, **other, "metadata": {**one["metadata"], **other.get("metadata", {})}}
