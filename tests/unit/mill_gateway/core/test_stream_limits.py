"""Slots of streams: the total limit, the limit of a caller, and their release."""

from mill_gateway.core.stream_limits import Limit, StreamLimits


def _limits(total: int, per_caller: int) -> StreamLimits:
    return StreamLimits(Limit(total, "MILL_MAX_STREAMS"), Limit(per_caller, "MILL_MAX_STREAMS_PER_CALLER"), "streams")


def test_a_caller_at_its_limit_leaves_slots_to_others() -> None:
    limits = _limits(5, 2)
    assert [limits.acquire("a"), limits.acquire("a")] == [None, None]
    assert limits.acquire("a") == (
        "too many streams at once: 2 are open by this caller, 1 more are asked for, "
        "and MILL_MAX_STREAMS_PER_CALLER allows 2; close some and try again, or raise it"
    )
    assert limits.acquire("b", 2) is None


def test_the_total_of_all_callers_is_limited() -> None:
    limits = _limits(3, 2)
    assert [limits.acquire("a", 2), limits.acquire("b")] == [None, None]
    assert "in all" in (refusal := limits.acquire("c") or "")
    assert "MILL_MAX_STREAMS allows 3" in refusal


def test_a_refused_stream_holds_no_slot_and_released_slots_are_free() -> None:
    limits = _limits(3, 3)
    assert limits.acquire("a", 4) is not None
    assert (len(limits), limits.acquire("a", 3)) == (0, None)
    limits.release("a", 3)
    assert (len(limits), limits._held) == (0, {})
