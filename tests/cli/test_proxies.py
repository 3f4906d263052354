"""HTTP proxies, as the environment names them."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import FakeGateway, as_json, rollout
from tests.cli.seed import EVENTS, LINES, SEED


@pytest.fixture
def proxy(gateway: FakeGateway) -> Iterator[FakeGateway]:
    """A proxy that passes everything on to the gateway."""
    gateway.answers("GET", "/v1/nodes", as_json([]))
    gateway.answers("POST", "/v1/deploy", rollout(*EVENTS))
    with FakeGateway().running() as running:
        running.answers("GET", "/v1/nodes", gateway.answer)
        running.answers("POST", "/v1/deploy", gateway.answer)
        yield running


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_is_used(mill: Mill, gateway: FakeGateway, proxy: FakeGateway, variable: str) -> None:
    done = mill("nodes", "--json", **{variable: proxy.url})
    assert (done.stdout, done.stderr, done.code) == ("[]\n", "", 0)
    (asked,) = proxy.asked
    assert gateway.asked == [asked]
    assert asked.headers["host"] == urlsplit(gateway.url).netloc


def test_a_stream_comes_through_a_proxy(mill: Mill, proxy: FakeGateway) -> None:
    done = mill("deploy", mill.file(SEED), HTTP_PROXY=proxy.url)
    assert (done.stdout, done.stderr, done.code, len(proxy.asked)) == (LINES, "", 1, 1)


@pytest.mark.parametrize("hosts", ["127.0.0.1", "example.org,127.0.0.1", "*"])
def test_hosts_without_a_proxy(mill: Mill, gateway: FakeGateway, proxy: FakeGateway, hosts: str) -> None:
    done = mill("nodes", "--json", HTTP_PROXY=proxy.url, NO_PROXY=hosts)
    assert (done.stdout, done.code, proxy.asked, len(gateway.asked)) == ("[]\n", 0, [], 1)


def test_a_proxy_that_lets_nothing_through(mill: Mill, proxy: FakeGateway) -> None:
    done = mill("nodes", MILL_ADDRESS="https://gateway.example", HTTPS_PROXY=proxy.url)
    assert (done.stdout, done.code) == ("", 2)
    assert done.stderr.startswith("error: the proxy refused the connection: 501 ")
    assert done.stderr.endswith("  help: set NO_PROXY to the hosts to reach without a proxy\n")


@pytest.mark.parametrize("address", ["ftp://proxy.example", "socks5://proxy.example:1080"])
def test_a_proxy_of_a_kind_that_cannot_be_used(mill: Mill, gateway: FakeGateway, address: str) -> None:
    done = mill("nodes", HTTP_PROXY=address)
    assert (done.stdout, done.code, gateway.asked) == ("", 2, [])
    assert done.stderr.startswith("error: invalid proxy: ")
    assert done.stderr.endswith("  help: check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY\n")
