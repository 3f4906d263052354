"""Deletions, their preconditions and finalizers."""

from typing import Final

import pytest

from mill_kube.errors import Conflict, NotFound
from mill_kube.resources import SECRETS
from tests.support.apiserver_contract.contract import Contract


async def a_deletion_with_a_uid_deletes_only_that_object(contract: Contract) -> None:
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


CHECKS: Final = (
    a_deletion_with_a_uid_deletes_only_that_object,
    a_finalizer_delays_a_deletion,
)
