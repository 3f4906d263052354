"""Lists and watches."""

import asyncio
from contextlib import aclosing
from typing import Any, Final, cast

import pytest

from mill_kube.errors import Expired
from mill_kube.resources import MILL_DEPLOYMENTS, SECRETS
from tests.support.apiserver_contract.contract import WATCH_SECONDS, Contract


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


async def a_list_and_a_watch_may_have_metadata_alone(contract: Contract) -> None:
    before = await contract.version()
    await contract.create("metadata-only", labels={"alone": "yes"}, a="MQ==")
    found = await contract.client.list(SECRETS, contract.namespace, labels="alone", metadata_only=True)
    assert found["metadata"]["resourceVersion"]
    watch = contract.client.watch(
        SECRETS, contract.namespace, resource_version=before, labels="alone", metadata_only=True
    )
    async with asyncio.timeout(WATCH_SECONDS), aclosing(cast("Any", watch)) as events:
        event = await anext(events)
    assert event["type"] == "ADDED"
    for each in (*found["items"], event["object"]):
        assert each["metadata"]["name"] == "metadata-only"
        assert each["metadata"]["labels"]["alone"] == "yes"
        assert "data" not in each
    assert len(found["items"]) == 1


async def a_watch_from_an_old_version_expires(contract: Contract) -> None:
    """Of the custom resource: the API server has watched it only since the kind exists, long after version 1."""
    watch = contract.client.watch(MILL_DEPLOYMENTS, contract.namespace, resource_version="1")
    with pytest.raises(Expired) as expired:
        async with asyncio.timeout(WATCH_SECONDS), aclosing(cast("Any", watch)) as events:
            await anext(events)
    assert (expired.value.status, expired.value.reason) == (410, "Expired")


CHECKS: Final = (
    a_watch_reports_changes_in_their_order,
    a_selection_is_entered_and_left,
    a_list_has_pages_and_selectors,
    a_list_and_a_watch_may_have_metadata_alone,
    a_watch_from_an_old_version_expires,
)
