"""So many in all, so many for one caller, and nobody keeps what is given back."""

from mill_gateway.core.places import Limit, Places


def _places(everybody: int, each: int) -> Places:
    return Places(Limit(everybody, "MILL_MAX_STREAMS"), Limit(each, "MILL_MAX_STREAMS_PER_CALLER"), "streams")


def test_one_caller_does_not_take_those_of_others() -> None:
    places = _places(5, 2)
    assert [places.take("a"), places.take("a")] == [None, None]
    assert places.take("a") == (
        "too many streams at once: 2 are open by this caller, 1 more are asked for, "
        "and MILL_MAX_STREAMS_PER_CALLER allows 2; close some and try again, or raise it"
    )
    assert places.take("b", 2) is None


def test_all_callers_together_are_bounded() -> None:
    places = _places(3, 2)
    assert [places.take("a", 2), places.take("b")] == [None, None]
    assert "in all" in (refusal := places.take("c") or "")
    assert "MILL_MAX_STREAMS allows 3" in refusal


def test_what_is_refused_takes_nothing_and_what_is_given_back_is_free() -> None:
    places = _places(3, 3)
    assert places.take("a", 4) is not None
    assert (len(places), places.take("a", 3)) == (0, None)
    places.release("a", 3)
    assert (len(places), places._taken) == (0, {})
