"""What Mill relies on in an API server, as checks that run against a real one and against the in-memory one.

Each check makes objects of its own in a namespace and looks at shapes: statuses, reasons, versions, the order of
events. The kinds are those that no controller changes: Secrets, Leases, and Ingresses of a class without a controller.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, cast

import pytest

from mill_kube.client import KubeClient
from mill_kube.errors import ApiError, Conflict, Expired, NotFound
from mill_kube.resources import DEPLOYMENTS, INGRESSES, LEASES, MILL_DEPLOYMENTS, SECRETS, Resource
from mill_objects.json import Json

MANAGER: Final = "mill.dev/contract"
LABEL: Final = "mill.dev/contract"
WATCH_SECONDS: Final = 20.0


@dataclass(frozen=True)
class Contract:
    """An API server, and a namespace in it that may be written to."""

    client: KubeClient
    namespace: str

    async def create(self, name: str, *, labels: dict[str, str] | None = None, **data: str) -> Json:
        body = secret(name, labels=labels, **data)
        return await self.client.create(SECRETS, self.namespace, body, manager=MANAGER)

    async def merge(self, name: str, patch: Json) -> Json:
        return await self.client.merge_patch(SECRETS, self.namespace, name, patch, manager=MANAGER)

    async def apply(self, name: str, manager: str, **data: str) -> Json:
        return await self.client.apply(SECRETS, self.namespace, secret(name, **data), manager=manager)

    async def get(self, name: str, resource: Resource = SECRETS) -> Json:
        return await self.client.get(resource, self.namespace, name)

    async def version(self) -> str:
        """Return the version of now, to watch from."""
        return cast("str", (await self.client.list(SECRETS, self.namespace))["metadata"]["resourceVersion"])

    async def events(self, count: int, version: str, **selectors: str) -> list[tuple[str, str]]:
        """Return so many events of Secrets since a version, as type and name, after a look at their versions."""
        found: list[Json] = []
        watch = self.client.watch(SECRETS, self.namespace, resource_version=version, **selectors)
        async with asyncio.timeout(WATCH_SECONDS), aclosing(cast("Any", watch)) as events:
            async for event in events:
                if event["type"] != "BOOKMARK":
                    found.append(event)
                if len(found) == count:
                    break
        versions = [version_of(each["object"]) for each in found]
        assert versions == sorted(set(versions)), "each event has a newer version"
        assert not versions or versions[0] > int(version)
        return [(each["type"], each["object"]["metadata"]["name"]) for each in found]


def secret(name: str, *, labels: dict[str, str] | None = None, **data: str) -> Json:
    """Return a Secret. The values must be base64."""
    meta = {"name": name, "labels": {LABEL: "yes", **(labels or {})}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": data}


def version_of(body: Json) -> int:
    return int(body["metadata"]["resourceVersion"])


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


async def a_merge_changes_what_it_names(contract: Contract) -> None:
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


async def a_json_patch_is_done_as_a_whole_or_not(contract: Contract) -> None:
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


async def an_apply_removes_what_it_named_before(contract: Contract) -> None:
    made = await contract.apply("applied", "first", a="MQ==", b="MQ==")
    again = await contract.apply("applied", "first", a="MQ==", b="MQ==")
    assert version_of(again) == version_of(made), "without a change there is no write"
    await contract.merge("applied", {"data": {"c": "Mw=="}})
    applied = await contract.apply("applied", "first", b="Mg==")
    assert applied["data"] == {"b": "Mg==", "c": "Mw=="}, "fields of other managers stay"
    managers = {(each["manager"], each["operation"]) for each in applied["metadata"]["managedFields"]}
    assert managers == {("first", "Apply"), (MANAGER, "Update")}


async def an_apply_takes_over_what_it_names(contract: Contract) -> None:
    await contract.apply("taken", "first", a="MQ==", b="MQ==", c="MQ==")
    taken = await contract.apply("taken", "second", a="Mg==", b="MQ==")
    assert taken["data"] == {"a": "Mg==", "b": "MQ==", "c": "MQ=="}
    left = await contract.apply("taken", "first", c="MQ==")
    assert left["data"] == {"a": "Mg==", "b": "MQ==", "c": "MQ=="}, "one was taken over, the other is shared"
    gone = await contract.apply("taken", "second", a="Mg==")
    assert gone["data"] == {"a": "Mg==", "c": "MQ=="}


async def a_write_with_a_uid_is_for_that_object_alone(contract: Contract) -> None:
    body = secret("known", a="MQ==")
    body["metadata"]["uid"] = "00000000-0000-4000-8000-00000000dead"
    with pytest.raises(Conflict) as refused:
        await contract.client.apply(SECRETS, contract.namespace, body, manager=MANAGER)
    assert refused.value.status == 409, "there is no object with this uid"
    made = await contract.create("known", a="MQ==")
    with pytest.raises(ApiError) as other:
        await contract.client.apply(SECRETS, contract.namespace, body, manager=MANAGER)
    assert (other.value.status, other.value.reason) == (422, "Invalid"), "another object has the name"
    with pytest.raises(ApiError) as merged:
        await contract.merge("known", {"metadata": {"uid": body["metadata"]["uid"]}, "data": {"a": "Mg=="}})
    assert (merged.value.status, merged.value.reason) == (422, "Invalid")
    same = await contract.merge("known", {"metadata": {"uid": made["metadata"]["uid"]}, "data": {"a": "Mg=="}})
    assert same["data"] == {"a": "Mg=="}


async def a_status_is_written_apart_from_the_spec(contract: Contract) -> None:
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

    async def merge_status(name: str, patch: Json) -> Json:
        return await contract.client.merge_status(INGRESSES, contract.namespace, name, patch, manager=MANAGER)

    reported = await merge_status("balanced", {"spec": {"ingressClassName": "other"}, "status": status})
    assert (reported["status"], reported["spec"], reported["metadata"]["generation"]) == (status, made["spec"], 1)
    assert version_of(reported) > version_of(made)
    noted = await merge({"metadata": {"annotations": {"a": "b"}}, "status": {"loadBalancer": None}})
    assert (noted["status"], noted["metadata"]["generation"]) == (status, 1)
    changed = await merge({"spec": {"ingressClassName": "mill-contract-2"}})
    assert (changed["status"], changed["metadata"]["generation"]) == (status, 2)
    with pytest.raises(NotFound):
        await merge_status("missing", {"status": status})


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


async def a_deletion_is_of_that_object_alone(contract: Contract) -> None:
    made = await contract.create("deleted")
    with pytest.raises(Conflict) as refused:
        await contract.client.delete(SECRETS, contract.namespace, "deleted", uid="another")
    assert (refused.value.status, refused.value.reason) == (409, "Conflict")
    answer = await contract.client.delete(SECRETS, contract.namespace, "deleted", uid=made["metadata"]["uid"])
    assert (answer["kind"], answer["status"]) == ("Status", "Success")
    with pytest.raises(NotFound):
        await contract.get("deleted")
    again = await contract.create("deleted")
    assert again["metadata"]["uid"] != made["metadata"]["uid"]


async def a_finalizer_delays_a_deletion(contract: Contract) -> None:
    before = await contract.version()
    made = await contract.create("finalized")
    await contract.merge("finalized", {"metadata": {"finalizers": ["mill.dev/contract"]}})
    answer = await contract.client.delete(SECRETS, contract.namespace, "finalized", uid=made["metadata"]["uid"])
    assert answer["metadata"]["deletionTimestamp"]
    assert (await contract.get("finalized"))["metadata"]["deletionTimestamp"]
    await contract.merge("finalized", {"metadata": {"finalizers": None}})
    with pytest.raises(NotFound):
        await contract.get("finalized")
    kinds = [kind for kind, _ in await contract.events(4, before, fields="metadata.name=finalized")]
    assert kinds == ["ADDED", "MODIFIED", "MODIFIED", "DELETED"]


async def a_watch_reports_changes_in_their_order(contract: Contract) -> None:
    before = await contract.version()
    made = await contract.create("watched-a", labels={"watched": "yes"})
    await contract.create("watched-b", labels={"watched": "yes"})
    await contract.merge("watched-a", {"data": {"a": "MQ=="}})
    await contract.client.delete(SECRETS, contract.namespace, "watched-a", uid=made["metadata"]["uid"])
    events = [("ADDED", "watched-a"), ("ADDED", "watched-b"), ("MODIFIED", "watched-a"), ("DELETED", "watched-a")]
    assert await contract.events(4, before, labels="watched=yes") == events
    later = made["metadata"]["resourceVersion"]
    assert await contract.events(3, later, labels="watched=yes") == events[1:]


async def a_selection_is_entered_and_left(contract: Contract) -> None:
    before = await contract.version()
    await contract.create("selected")
    await contract.merge("selected", {"metadata": {"labels": {"chosen": "yes"}}})
    await contract.merge("selected", {"metadata": {"labels": {"chosen": None}}})
    expected = [("ADDED", "selected"), ("DELETED", "selected")]
    assert await contract.events(2, before, labels="chosen=yes") == expected


async def a_list_has_pages_and_selectors(contract: Contract) -> None:
    for name in ("page-c", "page-a", "page-b"):
        await contract.create(name, labels={"page": name[-1]})

    async def names(**options: Any) -> list[str]:
        found = await contract.client.list(SECRETS, contract.namespace, **options)
        return [each["metadata"]["name"] for each in found["items"]]

    first = await contract.client.list(SECRETS, contract.namespace, labels="page", limit=2)
    assert (first["kind"], [each["metadata"]["name"] for each in first["items"]]) == (
        "SecretList",
        ["page-a", "page-b"],
    )
    token = first["metadata"]["continue"]
    await contract.create("page-d", labels={"page": "d"})
    rest = await contract.client.list(SECRETS, contract.namespace, labels="page", limit=2, after=token)
    assert [each["metadata"]["name"] for each in rest["items"]] == ["page-c"], "pages are of one moment"
    assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert "continue" not in rest["metadata"]
    assert await names(labels="page=b") == ["page-b"]
    assert await names(labels="page,page!=b") == ["page-a", "page-c", "page-d"]
    assert await names(fields="metadata.name=page-a") == ["page-a"]


async def a_watch_from_an_old_version_expires(contract: Contract) -> None:
    """Of the custom resource: the API server has watched it only since the kind exists, long after version 1."""
    watch = contract.client.watch(MILL_DEPLOYMENTS, contract.namespace, resource_version="1")
    with pytest.raises(Expired) as expired:
        async with asyncio.timeout(WATCH_SECONDS), aclosing(cast("Any", watch)) as events:
            await anext(events)
    assert (expired.value.status, expired.value.reason) == (410, "Expired")


CHECKS: Final[tuple[Callable[[Contract], Awaitable[None]], ...]] = (
    an_object_exists_once,
    a_missing_object_is_not_found,
    a_merge_changes_what_it_names,
    a_json_patch_is_done_as_a_whole_or_not,
    a_dry_run_keeps_nothing,
    an_update_replaces_the_version_that_was_read,
    an_apply_removes_what_it_named_before,
    an_apply_takes_over_what_it_names,
    a_write_with_a_uid_is_for_that_object_alone,
    a_status_is_written_apart_from_the_spec,
    a_deployment_has_one_replica_by_default,
    a_deletion_is_of_that_object_alone,
    a_finalizer_delays_a_deletion,
    a_watch_reports_changes_in_their_order,
    a_selection_is_entered_and_left,
    a_list_has_pages_and_selectors,
    a_watch_from_an_old_version_expires,
)
