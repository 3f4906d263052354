"""What is secret in an address is not told."""

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import Answer, FakeGateway

PASSWORD = "hunter2"


@pytest.mark.parametrize(
    ("kind", "code", "named"),
    [("text/html", 2, "(address: http://…@HOST)"), ("application/json", 1, "check that http://HOST is a mill gateway")],
)
def test_a_password_in_the_address_is_not_told(
    mill: Mill, gateway: FakeGateway, kind: str, code: int, named: str
) -> None:
    address = gateway.url.replace("//", f"//me:{PASSWORD}@")
    gateway.answers("GET", "/v1/nodes", Answer(200, {"Content-Type": kind}, (b"<html>",)))
    done = mill("nodes", MILL_ADDRESS=address)
    assert (done.stdout, done.code) == ("", code)
    assert named.replace("HOST", gateway.url.removeprefix("http://")) in done.stderr
    assert PASSWORD not in done.stderr


def test_a_refused_connection_does_not_show_the_password(mill: Mill) -> None:
    done = mill("nodes", MILL_ADDRESS=f"http://me:{PASSWORD}@127.0.0.1:1")
    assert done.stderr == "error: connection refused — is the cluster running? (address: http://…@127.0.0.1:1)\n"
    assert done.code == 2


def test_a_failed_connection_through_a_proxy_names_the_proxy(mill: Mill) -> None:
    done = mill("nodes", MILL_ADDRESS="http://gateway.example:4400", HTTP_PROXY=f"http://me:{PASSWORD}@127.0.0.1:1")
    assert done.code == 2
    assert "(HTTP_PROXY): use NO_PROXY=gateway.example to connect without it" in done.stderr
    assert PASSWORD not in done.stderr
