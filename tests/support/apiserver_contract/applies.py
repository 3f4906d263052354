"""Server-side apply, and writes that name the uid of an object."""

from typing import Final

import pytest

from mill_kube.errors import ApiError, Conflict
from mill_kube.resources import SECRETS
from tests.support.apiserver_contract.contract import MANAGER, Contract, secret, version_of


async def an_apply_removes_fields_of_the_last_apply(contract: Contract) -> None:
    made = await contract.apply("applied", "first", a="MQ==", b="MQ==")
    again = await contract.apply("applied", "first", a="MQ==", b="MQ==")
    assert version_of(again) == version_of(made), "without a change there is no write"
    await contract.merge("applied", {"data": {"c": "Mw=="}})
    applied = await contract.apply("applied", "first", b="Mg==")
    assert applied["data"] == {"b": "Mg==", "c": "Mw=="}, "fields of other managers stay"
    managers = {(each["manager"], each["operation"]) for each in applied["metadata"]["managedFields"]}
    assert managers == {("first", "Apply"), (MANAGER, "Update")}


async def an_apply_takes_over_the_named_fields(contract: Contract) -> None:
    await contract.apply("taken", "first", a="MQ==", b="MQ==", c="MQ==")
    taken = await contract.apply("taken", "second", a="Mg==", b="MQ==")
    assert taken["data"] == {"a": "Mg==", "b": "MQ==", "c": "MQ=="}
    left = await contract.apply("taken", "first", c="MQ==")
    assert left["data"] == {"a": "Mg==", "b": "MQ==", "c": "MQ=="}, "one was taken over, the other is shared"
    gone = await contract.apply("taken", "second", a="Mg==")
    assert gone["data"] == {"a": "Mg==", "c": "MQ=="}


async def a_write_with_a_uid_changes_only_that_object(contract: Contract) -> None:
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


async def an_apply_without_force_changes_no_field_of_another_manager(contract: Contract) -> None:
    made = await contract.create("theirs", a="MQ==", b="MQ==")
    with pytest.raises(Conflict) as refused:
        await contract.first_apply("theirs", "first", a="Mg==", b="MQ==")
    assert (refused.value.status, refused.value.reason) == (409, "Conflict")
    assert refused.value.message.startswith("Apply failed with 1 conflict: ")
    causes = [(each["reason"], each["field"]) for each in refused.value.details["causes"]]
    assert causes == [("FieldManagerConflict", ".data.a")]
    assert await contract.get("theirs") == made
    merged = await contract.first_apply("theirs", "first", b="MQ==", c="MQ==")
    assert merged["data"] == {"a": "MQ==", "b": "MQ==", "c": "MQ=="}, "where no field conflicts it is merged"


async def an_apply_without_force_creates_a_missing_object(contract: Contract) -> None:
    made = await contract.first_apply("free", "first", a="MQ==")
    assert made["data"] == {"a": "MQ=="}
    managers = {(each["manager"], each["operation"]) for each in made["metadata"]["managedFields"]}
    assert managers == {("first", "Apply")}
    changed = await contract.first_apply("free", "first", b="MQ==")
    assert changed["data"] == {"b": "MQ=="}, "nothing of its own conflicts"


async def an_apply_of_a_version_creates_an_object_or_changes_that_version(contract: Contract) -> None:
    """No object has version 1: an apply with it creates, and changes nothing, whoever owns which field."""
    made = await contract.first_apply("versioned", "first", version="1", a="MQ==")
    assert version_of(made) > 1
    assert await contract.get("versioned") == made
    with pytest.raises(Conflict) as refused:
        await contract.first_apply("versioned", "second", version="1", c="MQ==")
    assert (refused.value.status, refused.value.reason) == (409, "Conflict")
    assert await contract.get("versioned") == made
    changed = await contract.first_apply("versioned", "first", version=made["metadata"]["resourceVersion"], b="MQ==")
    assert changed["data"] == {"b": "MQ=="}


CHECKS: Final = (
    an_apply_removes_fields_of_the_last_apply,
    an_apply_takes_over_the_named_fields,
    a_write_with_a_uid_changes_only_that_object,
    an_apply_without_force_changes_no_field_of_another_manager,
    an_apply_without_force_creates_a_missing_object,
    an_apply_of_a_version_creates_an_object_or_changes_that_version,
)
