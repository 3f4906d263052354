"""Creations, patches and updates."""

from collections.abc import Awaitable
from typing import Any, Final, cast

import pytest

from mill_kube.errors import ApiError, Conflict, NotFound
from mill_kube.resources import DEPLOYMENTS, INGRESSES, LEASES, SECRETS
from mill_objects.json import Json
from tests.support.apiserver_contract.contract import LABEL, MANAGER, Contract, secret, version_of


async def an_object_exists_once(contract: Contract) -> None:
    made = await contract.create("once", a="MQ==")
    meta = made["metadata"]
    assert (made["kind"], made["apiVersion"], made["data"]) == ("Secret", "v1", {"a": "MQ=="})
    assert (meta["name"], meta["namespace"]) == ("once", contract.namespace)
    assert meta["uid"]
    assert meta["creationTimestamp"].endswith("Z")
    assert [each["manager"] for each in meta["managedFields"]] == [MANAGER]
    assert await contract.get("once") == made
    with pytest.raises(Conflict) as refused:
        await contract.create("once")
    assert (refused.value.status, refused.value.reason) == (409, "AlreadyExists")


async def a_missing_object_is_not_found(contract: Contract) -> None:
    ways: list[Awaitable[Any]] = [
        contract.get("missing"),
        contract.merge("missing", {"data": {}}),
        contract.client.delete(SECRETS, contract.namespace, "missing", uid="any"),
    ]
    for way in ways:
        with pytest.raises(NotFound) as refused:
            await way
        assert (refused.value.status, refused.value.reason) == (404, "NotFound")
        assert (refused.value.details["name"], refused.value.details["kind"]) == ("missing", "secrets")
        assert not refused.value.namespace_terminating


async def a_missing_namespace_takes_no_object(contract: Contract) -> None:
    missing = f"{contract.namespace}-missing"
    body = secret("homeless")
    ways: list[Awaitable[Any]] = [
        contract.client.create(SECRETS, missing, body, manager=MANAGER),
        contract.client.apply(SECRETS, missing, body, manager=MANAGER),
    ]
    for way in ways:
        with pytest.raises(NotFound) as refused:
            await way
        assert (refused.value.status, refused.value.reason) == (404, "NotFound")
        assert (refused.value.details["name"], refused.value.details["kind"]) == (missing, "namespaces")


async def a_merge_patch_changes_the_named_fields(contract: Contract) -> None:
    made = await contract.create("merged", a="MQ==", b="MQ==")
    merged = await contract.merge("merged", {"data": {"a": None, "c": "Mw=="}})
    assert merged["data"] == {"b": "MQ==", "c": "Mw=="}
    assert version_of(merged) > version_of(made)
    again = await contract.merge("merged", {"data": {"c": "Mw=="}})
    assert version_of(again) == version_of(merged), "without a change there is no write"
    old = {"resourceVersion": made["metadata"]["resourceVersion"]}
    with pytest.raises(Conflict) as refused:
        await contract.merge("merged", {"metadata": old, "data": {"d": "NA=="}})
    assert (refused.value.status, refused.value.reason) == (409, "Conflict")


async def a_json_patch_applies_as_a_whole_or_not_at_all(contract: Contract) -> None:
    made = await contract.create("patched", a="MQ==")

    async def patch(*operations: Json) -> Json:
        return await contract.client.json_patch(SECRETS, contract.namespace, "patched", operations, manager=MANAGER)

    same = {"op": "test", "path": "/metadata/uid", "value": made["metadata"]["uid"]}
    patched = await patch(same, {"op": "replace", "path": "/data/a", "value": "Mg=="})
    assert patched["data"] == {"a": "Mg=="}
    change = {"op": "add", "path": "/data/b", "value": "Mw=="}
    other = {"op": "test", "path": "/metadata/uid", "value": "another"}
    for failing in (other, {"op": "remove", "path": "/data/missing"}):
        with pytest.raises(ApiError) as refused:
            await patch(change, failing)
        assert (refused.value.status, refused.value.reason) == (422, "Invalid")
    assert await contract.get("patched") == patched
    slash = {"op": "add", "path": "/metadata/labels/mill.dev~1slash", "value": "x"}
    assert (await patch(slash))["metadata"]["labels"]["mill.dev/slash"] == "x"


async def a_dry_run_keeps_nothing(contract: Contract) -> None:
    namespace = contract.namespace
    body = secret("dry", a="MQ==")
    assert (await contract.client.create(SECRETS, namespace, body, manager=MANAGER, dry_run=True))["metadata"]["uid"]
    with pytest.raises(NotFound):
        await contract.get("dry")
    made = await contract.create("dry", a="MQ==")
    patch = {"data": {"a": "Mg=="}}
    dry = await contract.client.merge_patch(SECRETS, namespace, "dry", patch, manager=MANAGER, dry_run=True)
    assert dry["data"] == {"a": "Mg=="}
    assert await contract.get("dry") == made


async def an_update_replaces_the_version_that_was_read(contract: Contract) -> None:
    spec = {"holderIdentity": "a", "leaseDurationSeconds": 15}
    body = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "held", "labels": {LABEL: "yes"}},
        "spec": spec,
    }
    made = await contract.client.create(LEASES, contract.namespace, body, manager=MANAGER)
    new = {**made, "spec": {"holderIdentity": "b"}}
    updated = await contract.client.update(LEASES, contract.namespace, new, manager=MANAGER)
    assert updated["spec"] == {"holderIdentity": "b"}
    assert version_of(updated) > version_of(made)
    with pytest.raises(Conflict) as refused:
        await contract.client.update(LEASES, contract.namespace, new, manager=MANAGER)
    assert (refused.value.status, refused.value.reason) == (409, "Conflict")


async def a_status_is_a_subresource(contract: Contract) -> None:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    status = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    body = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "balanced", "labels": {LABEL: "yes"}},
        "spec": {"ingressClassName": "mill-contract", "defaultBackend": backend},
        "status": status,
    }
    made = await contract.client.create(INGRESSES, contract.namespace, body, manager=MANAGER)
    assert made["metadata"]["generation"] == 1
    assert not made.get("status", {}).get("loadBalancer"), "a creation does not set it"

    async def merge(patch: Json) -> Json:
        return await contract.client.merge_patch(INGRESSES, contract.namespace, "balanced", patch, manager=MANAGER)

    async def report(name: str, uid: str) -> Json:
        return await contract.client.replace_status(
            INGRESSES, contract.namespace, name, status, uid=uid, manager=MANAGER
        )

    reported = await report("balanced", made["metadata"]["uid"])
    assert (reported["status"], reported["spec"], reported["metadata"]["generation"]) == (status, made["spec"], 1)
    assert version_of(reported) > version_of(made)
    noted = await merge({"metadata": {"annotations": {"a": "b"}}, "status": {"loadBalancer": None}})
    assert (noted["status"], noted["metadata"]["generation"]) == (status, 1)
    changed = await merge({"spec": {"ingressClassName": "mill-contract-2"}})
    assert (changed["status"], changed["metadata"]["generation"]) == (status, 2)
    with pytest.raises(NotFound):
        await report("missing", made["metadata"]["uid"])
    with pytest.raises(ApiError) as refused:
        await report("balanced", "another-uid")
    assert refused.value.is_failed_patch


async def a_deployment_has_one_replica_by_default(contract: Contract) -> None:
    """By a dry run, since the Deployment controller would act on an object that is kept."""
    labels = {LABEL: "yes"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    body: Json = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "scaled", "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }

    async def replicas(**spec: int) -> int:
        given = {**body, "spec": {**body["spec"], **spec}}
        made = await contract.client.create(DEPLOYMENTS, contract.namespace, given, manager=MANAGER, dry_run=True)
        return cast("int", made["spec"]["replicas"])

    assert await replicas() == 1
    assert await replicas(replicas=0) == 0


CHECKS: Final = (
    an_object_exists_once,
    a_missing_object_is_not_found,
    a_missing_namespace_takes_no_object,
    a_merge_patch_changes_the_named_fields,
    a_json_patch_applies_as_a_whole_or_not_at_all,
    a_dry_run_keeps_nothing,
    an_update_replaces_the_version_that_was_read,
    a_status_is_a_subresource,
    a_deployment_has_one_replica_by_default,
)
