"""Reviews of tokens and rights, which are answered and not stored."""

from typing import Any, Final

from mill_kube.connection import Request
from mill_kube.resources import SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS, Resource
from tests.support.apiserver_contract.contract import Contract


async def _status(contract: Contract, resource: Resource, spec: dict[str, Any]) -> dict[str, Any]:
    body = {"apiVersion": resource.api_version, "kind": resource.kind, "spec": spec}
    review = await contract.client.request(Request("create", resource, body=body))
    assert (review["kind"], "name" in review["metadata"]) == (resource.kind, False)
    status: dict[str, Any] = review["status"]
    return status


async def an_unknown_token_is_not_authenticated(contract: Contract) -> None:
    for audiences in ({}, {"audiences": ["mill"]}):
        status = await _status(contract, TOKEN_REVIEWS, {"token": "made-up", **audiences})
        assert not status.get("authenticated")
        assert not (status.get("user") or {}).get("username")
        assert not status.get("audiences")


async def an_access_review_is_of_a_user_and_its_groups(contract: Contract) -> None:
    about = {"verb": "get", "resource": "secrets", "namespace": contract.namespace, "name": "any"}
    spec = {"user": "mill-contract-unknown", "groups": ["mill-contract-unknown"], "resourceAttributes": about}
    assert (await _status(contract, SUBJECT_ACCESS_REVIEWS, spec))["allowed"] is False
    assert (await _status(contract, SUBJECT_ACCESS_REVIEWS, {**spec, "groups": ["system:masters"]}))["allowed"] is True


CHECKS: Final = (an_unknown_token_is_not_authenticated, an_access_review_is_of_a_user_and_its_groups)
