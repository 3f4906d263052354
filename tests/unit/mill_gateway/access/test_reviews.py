"""Reviews of tokens and rights: their audiences, number and concurrency."""

import asyncio
import time
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from mill_gateway.access import Access, Caller, access
from mill_gateway.access.callers import User
from mill_gateway.access.reviews import Reviews
from mill_gateway.errors import status_of
from mill_gateway.exceptions.access import AuthenticationRequired
from mill_gateway.exceptions.base import GatewayError
from mill_gateway.exceptions.limits import LimitReached
from mill_kube.errors import Unreachable
from mill_kube.resources import JOBS, TOKEN_REVIEWS
from tests.support.apiserver import Token
from tests.support.gateway.served import Serve, Served

from .cluster import BOT, BOT_NAME, KUBERNETES, review

OURS_ONLY = replace(KUBERNETES, api_server_tokens=False)


class Clock:
    """A clock that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let cached reviews and budgets expire by a clock of the test."""
    clock = Clock()
    monkeypatch.setattr(access, "Reviews", partial(Reviews, clock=clock))
    return clock


def _token_specs(served: Served) -> list[dict[str, Any]]:
    return [each.body["spec"] for each in served.api.requests if each.resource.kind == "TokenReview"]


async def _status(served: Served, token: str, path: str = "/v1/deployments") -> int:
    return (await served.http.get(path, headers={"Authorization": f"Bearer {token}"})).status_code


async def test_a_token_for_the_gateway_is_reviewed_once(serve: Serve) -> None:
    async with serve(settings=KUBERNETES) as served:
        review(served, allowed=True)
        assert await _status(served, "our-token") == 200
        assert _token_specs(served) == [{"token": "our-token", "audiences": ["mill"]}]


async def test_one_of_the_audiences_of_the_settings_is_enough(serve: Serve) -> None:
    async with serve(settings=replace(OURS_ONLY, token_audiences=("mill", "press"))) as served:
        review(served, allowed=True)
        status = {"authenticated": True, "user": BOT, "audiences": ["press", "other"]}
        served.api.add_fault("create", TOKEN_REVIEWS, answer={"status": status})
        assert await _status(served, "any-token") == 200
        assert _token_specs(served)[0]["audiences"] == ["mill", "press"]


@pytest.mark.parametrize("audiences", [None, [], ["https://kubernetes.default.svc"]])
async def test_an_authenticator_that_ignores_audiences_is_not_trusted(
    serve: Serve, audiences: list[str] | None
) -> None:
    async with serve(settings=OURS_ONLY) as served:
        review(served, allowed=True)
        status = {"authenticated": True, "user": BOT, "audiences": audiences}
        served.api.add_fault("create", TOKEN_REVIEWS, answer={"status": status})
        assert await _status(served, "any-token") == 401
        assert len(_token_specs(served)) == 1


async def test_tokens_for_the_api_server_can_be_refused_with_advice(serve: Serve) -> None:
    async with serve(settings=OURS_ONLY) as served:
        review(served, allowed=True)
        assert await _status(served, "our-token") == 200
        answer = await served.http.get("/v1/deployments", headers={"Authorization": "Bearer good-token"})
        assert answer.status_code == 401
        assert "accepts only those for the audience mill" in answer.json()["error"]
        assert "`kubectl create token SERVICEACCOUNT --audience mill`" in answer.json()["error"]
        assert all("audiences" in spec for spec in _token_specs(served))


async def test_a_known_token_is_reviewed_for_its_own_audience(serve: Serve, clock: Clock) -> None:
    async with serve(settings=KUBERNETES) as served:
        review(served, allowed=True)
        for token, reviews in (("good-token", [True, False, False]), ("our-token", [True, True])):
            served.api.requests.clear()
            for _ in range(2):
                assert await _status(served, token) == 200
                assert await _status(served, token) == 200
                clock.now += 11
            assert ["audiences" in spec for spec in _token_specs(served)] == reviews


@pytest.mark.parametrize("token", ["", "a b", "a\tb", "t\xf6ken", "a\x7f", "x" * 16_385])
async def test_text_that_cannot_be_a_token_is_not_reviewed(serve: Serve, token: str) -> None:
    async with serve(settings=KUBERNETES) as served:
        review(served, allowed=True)
        with pytest.raises(AuthenticationRequired):
            await served.gateway.access.authenticate(token)
        assert served.api.requests == []


async def test_invented_tokens_do_not_delay_known_callers(serve: Serve, clock: Clock) -> None:
    async with serve(settings=KUBERNETES) as served:
        review(served, allowed=True)
        assert await _status(served, "good-token") == 200
        served.api.add_fault("create", delay_seconds=0.05)
        flood = [asyncio.ensure_future(_status(served, f"made-up-{each}")) for each in range(400)]
        await asyncio.sleep(0.05)
        waited = []
        for _ in range(5):
            began = time.monotonic()
            assert await _status(served, "good-token") == 200
            waited.append(time.monotonic() - began)
            clock.now += 11  # expired: it is reviewed again, within the limit of known tokens
        answers = await asyncio.gather(*flood)
        assert 10 < served.api.most_in_progress <= 16 + 2, "TokenReviews, and access reviews of the known caller"
        assert set(answers) == {401, 429}
        assert answers.count(429) >= 300
        assert max(waited) < 5
        assert served.gateway.metrics.refused.labels("reviews")._value.get() == answers.count(429)


async def test_a_full_queue_answers_with_retry_after(serve: Serve) -> None:
    async with serve(settings=replace(KUBERNETES, max_reviews=4)) as served:
        review(served, allowed=True)
        served.api.add_fault("create", delay_seconds=0.05)
        flood = [asyncio.ensure_future(_status(served, f"made-up-{each}")) for each in range(50)]
        await asyncio.sleep(0.02)
        answer = await served.http.get("/v1/deployments", headers={"Authorization": "Bearer our-token"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
        assert "MILL_MAX_REVIEWS" in answer.json()["error"]
        await asyncio.gather(*flood)
        assert await _status(served, "our-token") == 200


async def test_invented_tokens_evict_no_valid_one(serve: Serve) -> None:
    async with serve(settings=KUBERNETES) as served:
        review(served, allowed=True)
        its = served.gateway.access
        await its.authenticate("our-token")
        for each in range(5000):
            with pytest.raises(AuthenticationRequired):
                await its.authenticate(f"made-up-{each}")
        served.api.requests.clear()
        await its.authenticate("our-token")
        assert served.api.requests == []


async def _refusal(its: Access, token: str, address: str | None) -> int:
    with pytest.raises(GatewayError) as refused:
        await its.authenticate(token, address)
    return status_of(refused.value)


async def test_an_address_has_a_budget_of_wrong_tokens(serve: Serve, clock: Clock) -> None:
    async with serve(settings=replace(KUBERNETES, max_failed_tokens=6)) as served:
        review(served, allowed=True)
        its = served.gateway.access
        await its.authenticate("good-token", "10.0.0.9")
        wrong = [await _refusal(its, f"made-up-{each}", "10.0.0.9") for each in range(8)]
        assert wrong == [401] * 6 + [429] * 2
        with pytest.raises(LimitReached) as limit:
            await its.authenticate("our-token", "10.0.0.9")
        assert limit.value.retry_after == 10
        assert "MILL_MAX_FAILED_TOKENS" in limit.value.message
        await its.authenticate("good-token", "10.0.0.9")  # which is known
        await its.authenticate("our-token", "10.0.0.8")
        assert await _refusal(its, "made-up", None) == 401, "without an address there is no budget"
        clock.now += 10
        assert await _refusal(its, "made-up-9", "10.0.0.9") == 401
        assert await _refusal(its, "made-up-10", "10.0.0.9") == 429


async def test_valid_tokens_and_unreachable_clusters_do_not_use_the_budget(serve: Serve) -> None:
    async with serve(settings=replace(KUBERNETES, max_failed_tokens=1)) as served:
        review(served, allowed=True)
        its = served.gateway.access
        for token in ("good-token", "our-token"):
            await its.authenticate(token, "10.0.0.9")
        away = served.api.add_fault("create", TOKEN_REVIEWS, error=Unreachable("refused"))
        for each in range(3):
            with pytest.raises(Unreachable):
                await its.authenticate(f"made-up-{each}", "10.0.0.9")
        served.api.faults.remove(away)
        assert await _refusal(its, "made-up", "10.0.0.9") == 401


async def test_one_caller_cannot_take_all_access_checks(serve: Serve) -> None:
    async with serve(settings=KUBERNETES) as served:
        review(served, allowed=True)
        served.api.add_fault("create", delay_seconds=0.05)
        its = served.gateway.access
        walker, other = (Caller(name, user=User(name)) for name in ("walker", "other"))
        walk = [asyncio.ensure_future(its.require(walker, "get", JOBS, "shop", f"run-{each}")) for each in range(400)]
        await asyncio.sleep(0.02)
        began = time.monotonic()
        await its.require(other, "get", JOBS, "shop", "run-1")
        assert time.monotonic() - began < 3
        results = await asyncio.gather(*walk, return_exceptions=True)
        assert 1 < served.api.most_in_progress <= 16
        refused = [each for each in results if each is not None]
        assert refused
        assert {type(each) for each in refused} == {LimitReached}
        assert len(its._reviews._caller_limit) == 0  # type: ignore[union-attr]


async def test_an_impossible_name_is_neither_checked_nor_cached(serve: Serve) -> None:
    async with serve(settings=KUBERNETES) as served:
        review(served, allowed=True)
        assert await _status(served, "our-token", "/v1/tasks/" + "x" * 254) == 400
        assert {each.resource.kind for each in served.api.requests} == {"TokenReview"}


async def test_a_cached_caller_expires(serve: Serve, clock: Clock) -> None:
    """Long streams authenticate their caller again."""
    async with serve(settings=KUBERNETES) as served:
        review(served, allowed=True)
        its = served.gateway.access
        caller = await its.authenticate("our-token")
        assert await its.authenticate("our-token") == caller
        assert len(served.api.requests) == 1, "the answer is cached"
        clock.now += 11
        served.api.accounts.tokens["our-token"] = Token({**BOT, "groups": []}, ("mill",))
        now = await its.authenticate("our-token")
        assert (now.name, now.user and now.user.groups) == (BOT_NAME, ())
        clock.now += 11
        del served.api.accounts.tokens["our-token"]
        with pytest.raises(AuthenticationRequired):
            await its.authenticate("our-token")
