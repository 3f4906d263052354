"""A certificate can change while the gateway serves; an invalid one leaves the previous in use."""

import asyncio
import logging
import ssl
from pathlib import Path

import pytest

from mill_gateway.server.tls import Certificate
from mill_process.settings import SettingsError
from tests.support.certificates import certificate, make


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two pairs, and one with an unreadable key."""
    folder = tmp_path_factory.mktemp("pairs")
    return {
        "first": make(folder, "first"),
        "second": make(folder, "second"),
        "locked": make(folder, "locked", passphrase="long enough"),
    }


@pytest.fixture
def mounted(tmp_path: Path, pairs: dict[str, Path]) -> Path:
    """The first pair, in the files that the gateway reads."""
    mount(tmp_path, pairs["first"])
    return tmp_path


def mount(where: Path, pair: Path, *files: str) -> None:
    """Replace both files by a pair, or one file by that of the pair."""
    for name in files or ("tls.crt", "tls.key"):
        new = where / f"{name}.new"
        new.write_bytes((pair / name).read_bytes())
        new.replace(where / name)


async def shown(held: Certificate, pairs: dict[str, Path]) -> str:
    """Connect, and return the name of the certificate."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=held.context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        for name in ("first", "second"):
            trusted = ssl.create_default_context(cafile=str(pairs[name] / "tls.crt"))
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted)
            except ssl.SSLError:
                continue
            writer.close()
            return name
    return "none"


async def test_later_connections_get_a_new_certificate(mounted: Path, pairs: dict[str, Path]) -> None:
    held = certificate(mounted)
    assert (held.renew(), await shown(held, pairs)) == (False, "first")
    mount(mounted, pairs["second"])
    assert await shown(held, pairs) == "first"
    assert held.renew()
    assert (held.renew(), await shown(held, pairs)) == (False, "second")


async def test_a_mismatched_key_leaves_the_previous_certificate(
    mounted: Path, pairs: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    held = certificate(mounted)
    mount(mounted, pairs["second"], "tls.crt")
    with caplog.at_level(logging.WARNING):
        assert [held.renew(), held.renew()] == [False, False]
    assert caplog.text.count("the previous certificate stays in use") == 1
    assert await shown(held, pairs) == "first"
    mount(mounted, pairs["second"], "tls.key")
    assert (held.renew(), await shown(held, pairs)) == (True, "second")


async def test_missing_files_change_nothing(mounted: Path, pairs: dict[str, Path]) -> None:
    held = certificate(mounted)
    (mounted / "tls.key").unlink()
    assert (held.renew(), await shown(held, pairs)) == (False, "first")
    mount(mounted, pairs["second"])
    assert held.renew()


def test_old_tls_versions_are_refused(mounted: Path) -> None:
    assert certificate(mounted).context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ("missing", "No such file or directory"),
        ("mixed", "the key does not match the certificate"),
        ("text", "not a certificate and a key in PEM format"),
        ("locked", "the key has a passphrase, which the gateway cannot read"),
    ],
)
def test_an_invalid_certificate_at_startup_is_reported_by_its_settings(
    mounted: Path, pairs: dict[str, Path], wrong: str, problem: str
) -> None:
    match wrong:
        case "missing":
            (mounted / "tls.key").unlink()
        case "mixed":
            mount(mounted, pairs["second"], "tls.key")
        case "text":
            (mounted / "tls.crt").write_text("no certificate\n")
        case "locked":
            mount(mounted, pairs["locked"])
    with pytest.raises(SettingsError) as refused:
        certificate(mounted)
    names = f"MILL_TLS_CERT={mounted / 'tls.crt'}, MILL_TLS_KEY={mounted / 'tls.key'}: "
    assert str(refused.value) == names + problem
