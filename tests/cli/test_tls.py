"""Certificates: whom `mill` trusts, and whom somebody may tell it to trust. Redirects from TLS to none are refused."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import TOKEN, Mill
from tests.cli.fake_gateway import FakeGateway, as_json, moved


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority in ca.pem, and in server.pem a certificate of it for 127.0.0.1 and its key."""
    made = tmp_path_factory.mktemp("authority")
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1")
    ca, ca_key, key, crt = (str(made / name) for name in ("ca.pem", "ca.key", "server.key", "server.crt"))
    openssl("req", "-x509", *new_key, "-keyout", ca_key, "-subj", "/CN=An authority", "-out", ca)
    signed = ("-CA", ca, "-CAkey", ca_key, "-subj", "/CN=gateway", "-addext", "subjectAltName=IP:127.0.0.1")
    openssl("req", "-x509", *new_key, "-keyout", key, *signed, "-addext", "basicConstraints=CA:FALSE", "-out", crt)
    (made / "server.pem").write_text(Path(key).read_text() + Path(crt).read_text())
    return made


@pytest.fixture
def secure(authority: Path) -> Iterator[FakeGateway]:
    """A gateway that speaks TLS."""
    with FakeGateway(authority / "server.pem").running() as running:
        running.answers("GET", "/v1/nodes", as_json([]))
        yield running


def test_an_authority_that_nobody_knows_is_refused(mill: Mill, secure: FakeGateway) -> None:
    done = mill("nodes", MILL_ADDRESS=secure.url)
    assert (done.stdout, done.code, secure.asked) == ("", 2, [])
    assert done.stderr.startswith("error: the certificate is not trusted: ")
    assert done.stderr.endswith(
        f"(address: {secure.url})\n  help: trust another certificate authority with --ca-file\n"
    )


def test_plain_http_where_tls_is_expected(mill: Mill, secure: FakeGateway) -> None:
    address = secure.url.replace("https:", "http:")
    done = mill("nodes", MILL_ADDRESS=address)
    assert (done.stdout, done.code, secure.asked) == ("", 2, [])
    assert done.stderr == (
        f"error: the server expects TLS (address: {address})\n  help: use https:// in the address: {secure.url}\n"
    )


def test_an_authority_that_somebody_names_is_trusted(mill: Mill, secure: FakeGateway, authority: Path) -> None:
    ca = str(authority / "ca.pem")
    for arguments, variables in (
        (["--ca-file", ca], {}),
        ([], {"MILL_CA_FILE": ca}),
        ([], {"SSL_CERT_FILE": ca}),
        (["--ca-file", ca], {"MILL_CA_FILE": "/gone"}),
    ):
        done = mill("nodes", "--json", *arguments, **{"MILL_ADDRESS": secure.url, **variables})
        assert (done.stdout, done.stderr, done.code) == ("[]\n", "", 0)
    assert {each.headers["authorization"] for each in secure.asked} == {f"Bearer {TOKEN}"}


def test_a_certificate_for_another_name_is_refused(mill: Mill, secure: FakeGateway, authority: Path) -> None:
    address = secure.url.replace("127.0.0.1", "localhost")
    done = mill("nodes", "--ca-file", str(authority / "ca.pem"), MILL_ADDRESS=address)
    assert (done.stdout, done.code) == ("", 2)
    assert "Hostname mismatch" in done.stderr


@pytest.mark.parametrize(
    ("file", "error"),
    [
        ("gone.pem", "error: gone.pem: No such file or directory\n"),
        ("server.key", "error: server.key: no PEM certificates (NO_CERTIFICATE_OR_CRL_FOUND)\n"),
        ("text.pem", "error: text.pem: no PEM certificates (NO_CERTIFICATE_OR_CRL_FOUND)\n"),
    ],
)
def test_invalid_files_of_authorities_are_refused(
    mill: Mill, secure: FakeGateway, authority: Path, file: str, error: str
) -> None:
    mill.file((authority / "server.key").read_text(), "server.key")
    mill.file("nothing\n", "text.pem")
    done = mill("nodes", "--ca-file", file, MILL_ADDRESS=secure.url)
    assert (done.stdout, done.stderr, done.code, secure.asked) == ("", error, 4, [])


def test_a_redirect_from_tls_to_none_is_refused(
    mill: Mill, secure: FakeGateway, gateway: FakeGateway, authority: Path
) -> None:
    secure.answers("GET", "/v1/nodes", moved(308, f"{gateway.url}/v1/nodes"))
    done = mill("nodes", "--ca-file", str(authority / "ca.pem"), MILL_ADDRESS=secure.url)
    assert (done.stdout, done.code, gateway.asked) == ("", 1, [])
    assert done.stderr.startswith(f"error: redirected to {gateway.url}/v1/nodes (address: {secure.url})\n")


def test_a_redirect_to_tls_is_the_persons_to_follow(
    mill: Mill, secure: FakeGateway, gateway: FakeGateway, authority: Path
) -> None:
    gateway.answers("GET", "/v1/nodes", moved(308, f"{secure.url}/v1/nodes"))
    done = mill("nodes", "--ca-file", str(authority / "ca.pem"))
    assert (done.stdout, done.code, secure.asked) == ("", 1, [])
    assert f"  help: if that is the gateway, use `--address {secure.url}`\n" in done.stderr
