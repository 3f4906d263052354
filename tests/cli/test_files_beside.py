"""Texts of files beside a `.mill` file: which are read, and what the gateway gets."""

import os

import pytest

from mill_language import parse
from tests.cli.conftest import Mill
from tests.cli.fake_gateway import FakeGateway, rollout

DONE = ("done", {"elapsed": 4.2, "success": True})
FILE = """\
service "web" {
  image = "nginx"
  port  = 80

  file "/etc/nginx/nginx.conf" {
    from = "conf/nginx.conf"
    mode = "0640"
  }
}
"""
TEXT = '\ufeffserver {\r\n\tset $a "${b}";\n\n  proxy http://${service.web.address};\n}\n\n'
SECRET = "hunter2-hunter2"


@pytest.fixture
def shop(mill: Mill) -> Mill:
    """A folder with the file, and what it reads."""
    mill.file(FILE, "shop.mill")
    (mill.folder / "conf").mkdir()
    (mill.folder / "conf/nginx.conf").write_bytes(TEXT.encode())
    return mill


def test_the_gateway_gets_the_text_as_it_is(shop: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(DONE))
    assert shop("deploy", "shop.mill").code == 0
    (file,) = parse(gateway.asked[0].body).services[0].files
    assert (file.path, file.content, file.mode) == ("/etc/nginx/nginx.conf", TEXT, "0640")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../secret", "'../secret' is not in the folder of the .mill file"),
        ("/etc/passwd", "'/etc/passwd' is not in the folder of the .mill file"),
        ("", "'' is not in the folder of the .mill file"),
        ("link", "link: link is a link"),
        ("folder/nginx.conf", "folder/nginx.conf: folder is a link"),
        ("conf", "conf: is a directory"),
        ("pipe", "pipe: is not a regular file"),
        ("none", "none: no such file or directory"),
        ("binary", "binary: the file has a NUL character"),
        ("latin1", "latin1: the file is not UTF-8"),
        ("large", "large: the file has more than 65,536 bytes"),
    ],
)
def test_files_that_are_refused(shop: Mill, name: str, message: str) -> None:
    (shop.folder / "link").symlink_to(shop.folder / "conf/nginx.conf")
    (shop.folder / "folder").symlink_to(shop.folder / "conf")
    os.mkfifo(shop.folder / "pipe")
    shop.file(f"{SECRET}\0", "binary")
    (shop.folder / "latin1").write_bytes(f"{SECRET}\xe4".encode("latin-1"))
    shop.file("#" * 65_537, "large")
    shop.file(FILE.replace("conf/nginx.conf", name), "shop.mill")
    done = shop("validate", "shop.mill")
    assert done.code == 1
    assert f"error: service.web.file./etc/nginx/nginx.conf.from: {message}\n --> shop.mill:6:12\n" in done.stderr
    assert SECRET not in done.stderr


def test_references_of_the_text_are_checked_at_its_name(shop: Mill) -> None:
    shop.file("key = ${secret(app.key)}\n", "conf/nginx.conf")
    done = shop("validate", "shop.mill")
    assert done.code == 1
    assert "a file's content cannot hold a secret: no value passes through the operator\n --> shop.mill:6:12\n" in (
        done.stderr
    )
    assert 'help: write secret = "app.key" instead of the content' in done.stderr
