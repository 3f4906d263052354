"""Objects that services need and that appear late: Secrets, keys, the ServiceAccount, volumes."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.e2e.objects import Json, claim
from tests.soak.healing.scenario import Group, healing, service

ACCOUNT: Final = "soak"
"""The ServiceAccount that the operator names in one scenario."""
_SECRET: Final = "mill-secrets"


def with_secret(group: Group, name: str) -> str:
    """Return a service that needs the Secret."""
    return service(group, name, "env { TOKEN = secret(soak.token) }")


def with_volume(group: Group, name: str) -> str:
    """Return a service with a volume, whose claim exists before it."""
    volume = f'volume "{name}-data" {{\n    path = "/data"\n    size = "1Mi"\n  }}'
    return service(group, name, volume)


@contextmanager
def late_secret(group: Group) -> Iterator[None]:
    """Have no Secret at first."""
    with healing(group.heal_seconds, lambda: _apply(group, _secret({"soak.token": "x"}))):
        yield


@contextmanager
def late_key(group: Group) -> Iterator[None]:
    """Have a Secret that lacks the key at first."""
    _apply(group, _secret({"soak.other": "x"}))
    with healing(group.heal_seconds, lambda: _apply(group, _secret({"soak.other": "x", "soak.token": "x"}))):
        yield


@contextmanager
def late_account(group: Group) -> Iterator[None]:
    """Have no ServiceAccount of the operator's setting at first."""
    account: Json = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT}}
    with healing(group.heal_seconds, lambda: _apply(group, account)):
        yield


@contextmanager
def slow_provisioner(group: Group) -> Iterator[None]:
    """Have claims of a class whose provisioner makes the volumes late: it does not exist, and they are made by hand."""
    name = group.namespace.name
    storage_class: Json = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": "slow.soak.mill.dev",
    }
    _apply(group, storage_class)
    try:
        with _late_volumes(group, name):
            yield
    finally:
        group.namespace.kubectl("delete", "storageclass", name)


@contextmanager
def late_volume(group: Group) -> Iterator[None]:
    """Have claims without a class, for which volumes are made by hand, late."""
    with _late_volumes(group, ""):
        yield


@contextmanager
def _late_volumes(group: Group, storage_class: str) -> Iterator[None]:
    _apply(group, *(_claim(name, storage_class) for name in group.names))
    volumes = [_volume(group, name, storage_class) for name in group.names]
    try:
        with healing(group.heal_seconds, lambda: _apply(group, *volumes)):
            yield
    finally:
        found = [f"persistentvolume/{each['metadata']['name']}" for each in volumes]
        group.namespace.kubectl("delete", *found, "--wait=false", "--ignore-not-found")


def _claim(name: str, storage_class: str) -> Json:
    made = claim(name, {"storageClassName": storage_class})
    made["metadata"]["labels"]["mill.dev/deployment"] = name
    return made


def _volume(group: Group, name: str, storage_class: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{group.namespace.name}-{name}"},
        "spec": {
            "capacity": {"storage": "1Mi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": storage_class,
            "claimRef": {"namespace": group.namespace.name, "name": f"{name}-data"},
            "hostPath": {"path": "/tmp", "type": "Directory"},
        },
    }


def _secret(values: dict[str, str]) -> Json:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": _SECRET}, "data": data}


def _apply(group: Group, *objects: Json) -> None:
    items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    group.namespace.kubectl("apply", "-f", "-", stdin=json.dumps(items))
