"""Limits of the number and duration of connections, and the unit that counts as one address."""

import pytest

from mill_gateway.server.addresses import is_loopback, source
from mill_gateway.server.limits import Phase, capacity, longest, of_each_address


@pytest.mark.parametrize(
    ("wanted", "descriptors", "most"),
    [
        (4096, 1_048_576, 4096),
        (4096, 1024, 384),
        (100, 1024, 100),
        (4096, 256, 96),
        (4096, 4, 1),
        (4096, 0, 1),
    ],
)
def test_the_limit_of_open_files_limits_connections(wanted: int, descriptors: int, most: int) -> None:
    assert capacity(wanted, descriptors) == most


@pytest.mark.parametrize(("wanted", "most", "each"), [(3072, 4096, 3072), (3072, 384, 288), (10, 384, 10), (5, 1, 1)])
def test_one_address_never_gets_all_connections(wanted: int, most: int, each: int) -> None:
    assert of_each_address(wanted, most) == each


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("10.0.0.9", "10.0.0.9"),
        ("::ffff:10.0.0.9", "10.0.0.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::1"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_an_ipv6_network_counts_as_one_address(address: str, counted_as: str) -> None:
    assert source(address) == counted_as


@pytest.mark.parametrize(
    ("address", "here"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("::ffff:127.0.0.1", True), ("10.0.0.9", False),
     ("2001:db8::1", False), ("", False)],
)  # fmt: skip
def test_loopback_is_recognized(address: str, here: bool) -> None:
    assert is_loopback(source(address)) is here


def test_every_phase_but_an_answer_has_a_limit() -> None:
    for phase in Phase:
        patient, pressed = (longest(phase, rest=10.0, pressed=hurry) for hurry in (False, True))
        if phase is Phase.ANSWER:
            assert (patient, pressed) == (None, None)
        else:
            assert 0 < (pressed or 0) < (patient or 0) <= 10


def test_the_setting_limits_the_rest_of_a_body() -> None:
    for phase in Phase:
        same = longest(phase, rest=600.0, pressed=False) == longest(phase, rest=1.0, pressed=False)
        assert same is (phase is not Phase.REST)
    assert longest(Phase.REST, rest=600.0, pressed=False) == 600.0
    assert longest(Phase.REST, rest=600.0, pressed=True) == longest(Phase.REST, rest=1.0, pressed=True) == 1.0
