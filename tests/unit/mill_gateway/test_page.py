"""The page's files: without a token, with strict headers, and nothing of the cluster in them."""

import re
from pathlib import Path

import pytest

import mill_gateway
from mill_gateway.routes.page import FILES
from mill_gateway.settings import Settings
from tests.support.gateway.objects import mill_deployment
from tests.support.gateway.served import Serve

FOLDER = Path(mill_gateway.__file__).parent / "page"


async def test_the_page_needs_no_token(serve: Serve) -> None:
    async with serve(mill_deployment(), settings=Settings(admin_token="right-token")) as served:
        page = await served.http.get("/")
        assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        for name in re.findall(r'"/page/([^"]+)"', page.text):
            assert (await served.http.get(f"/page/{name}")).status_code == 200
        for wrong in ("nope.js", "..%2Fsettings.py", "__init__.py", ""):
            assert (await served.http.get(f"/page/{wrong}")).status_code == 404


@pytest.mark.parametrize("name", sorted(FILES))
async def test_every_file_has_strict_headers_and_is_cached(serve: Serve, name: str) -> None:
    async with serve() as served:
        answer = await served.http.get(f"/page/{name}")
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        again = await served.http.get(f"/page/{name}", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("file", sorted(FOLDER.iterdir()), ids=lambda file: file.name)
def test_the_page_loads_nothing_from_other_hosts_and_makes_no_markup_of_data(file: Path) -> None:
    text = file.read_text()
    assert [url for url in re.findall(r"https?://[^\s\"')]+", text) if "www.w3.org/2000/svg" not in url] == []
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text)


def test_modules_import_files_that_exist() -> None:
    for file in FOLDER.glob("*.js"):
        for imported in re.findall(r'from "\./([^"]+)"', file.read_text()):
            assert (FOLDER / imported).exists(), f"{file.name} imports {imported}"
