"""Fields of foreign objects: valid ones are read, all others count as missing."""

from datetime import UTC, datetime
from typing import Any

import pytest

from mill_objects import fields
from mill_objects.fields import Unreadable

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
META = {
    "namespace": "shop",
    "name": "web",
    "uid": "u",
    "resourceVersion": "7",
    "creationTimestamp": "2026-01-31T12:00:00Z",
}


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-01-31T12:00:00Z", NOON),
        ("2026-01-31T12:00:00.000000000Z", NOON),
        ("2026-01-31T12:00:00.123456789Z", NOON.replace(microsecond=123456)),
        ("2026-01-31T12:00:00.5Z", NOON.replace(microsecond=500_000)),
        ("2026-01-31T14:00:00+02:00", NOON),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2026-01-31T12:00:00", None),  # of no zone: it cannot be compared
        ("2026-01-31", None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("12026-01-31T12:00:00Z", None),
        ("2026-02-30T12:00:00Z", None),
        ("2026-01-31T12:00:60Z", None),
        ("soon", None),
        ("", None),
        ("2026-01-31T12:00:00." + "0" * 10_000 + "Z", None),
    ],
)
def test_times_of_rfc_3339_are_read(written: str, moment: datetime | None) -> None:
    assert fields.time({"at": written}, "at") == moment
    assert fields.time_text({"at": written}, "at") == (None if moment is None else written)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        (3, 3),
        ("3", 3),
        ("-3", -3),
        (3.0, 3),
        (2**63 - 1, 2**63 - 1),
        *((each, None) for each in (2**63, 10**400, 3.5, float("inf"), float("nan"), True, None, [], {}, "")),
        *((each, None) for each in ("three", "3s", "--3", "\u0663", "9" * 5000)),
    ],
)
def test_whole_numbers_of_64_bits_are_read(written: Any, number: int | None) -> None:
    assert fields.optional_number({"n": written}, "n") == number
    assert fields.number({"n": written}, "n", 8) == (8 if number is None else number)


@pytest.mark.parametrize(
    ("written", "quantity"),
    [("250m", "250m"), (2, "2"), (0.5, "0.5"), (True, ""), (None, ""), ([], ""), (10**400, "")],
)
def test_quantities_may_be_numbers(written: Any, quantity: str) -> None:
    assert fields.quantity({"cpu": written}, "cpu") == quantity


@pytest.mark.parametrize("body", [None, 5, "text", [], {}, {"a": None}, {"a": 5}, {"a": "text"}, {"a": {}}, {"a": []}])
def test_missing_fields_are_empty(body: Any) -> None:
    assert fields.mapping(body, "a", "b") == {}
    assert fields.mappings(fields.mapping(body, "a"), "b") == []
    assert fields.texts(body, "a") == {}
    assert fields.conditions(fields.mapping(body, "a")) == {}
    assert not fields.flag(body, "a")
    assert not fields.deleted(body)
    with pytest.raises(Unreadable):
        fields.identity(body)


def test_elements_of_another_type_are_left_out_of_lists_and_maps() -> None:
    assert fields.mappings({"a": [None, {"b": 1}, "c", [], {}]}, "a") == [{"b": 1}, {}]
    assert fields.texts({"a": {"x": "1", "y": 2, "z": None}}, "a") == {"x": "1"}
    assert fields.text({"a": "half \ud800"}, "a") == "half ?"
    assert [fields.flag({"a": each}, "a") for each in (True, 1, "true", None)] == [True, False, False, False]


@pytest.mark.parametrize("name", ["namespace", "name", "uid", "resourceVersion"])
@pytest.mark.parametrize("value", [None, "", 5, [], {}])
def test_an_object_is_identified_by_four_fields(name: str, value: Any) -> None:
    assert fields.identity({"metadata": META}) == (("shop", "web"), "u", "7")
    with pytest.raises(Unreadable, match=f"^no metadata.{name}$"):
        fields.identity({"metadata": {**META, name: value}})


def test_a_node_has_no_namespace() -> None:
    assert fields.identity({"metadata": {**META, "namespace": None}}, namespaced=False).key == ("", "web")


@pytest.mark.parametrize("value", [None, "", 5, "yesterday", "2026-01-31"])
def test_an_object_without_a_creation_time_is_unreadable(value: Any) -> None:
    assert fields.created({"metadata": META}) == NOON
    with pytest.raises(Unreadable, match=r"^no metadata\.creationTimestamp$"):
        fields.created({"metadata": {**META, "creationTimestamp": value}})
