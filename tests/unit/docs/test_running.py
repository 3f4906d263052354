"""A page is run as a reader does it: files, answers, exit codes, a command that others run beside, and new output."""

from pathlib import Path

from tests.support.pages.running import Reader, rewrite

PAGE = """\
# A page

```yaml
# shop.yaml
name: shop
```

```console
$ cat shop.yaml
# shop.yaml
name: shop
$ sh -c 'exit 3'
$ echo $?
3
$ echo run web-0a1b2c3d at http://here
run web-d4d925c1 at http://gateway
$ echo in e2e-1
in default
$ echo again web-d4d925c1
again web-d4d925c1
```

<!-- typed: ada -->
```console
$ read -p 'name: ' NAME; echo "hello $NAME"
name: ada
hello ada
```

<!-- background -->
```console
$ echo ready > up; echo started; sleep 60
started
$ cat up
ready
```

<!-- not run: it fails -->
```console
$ false
nothing
```

```console
$ echo new
old
older
```
"""


def test_a_page_is_followed(tmp_path: Path) -> None:
    page, folder = tmp_path / "page.md", tmp_path / "folder"
    folder.mkdir()
    page.write_text(PAGE)
    reader = Reader(folder, {"HOME": str(tmp_path)}, {"http://gateway": "http://here"}, {"e2e-1": "default"})
    found = list(reader.follow(page))
    assert [(each.step.command, each.printed) for each in found] == [("echo new", ("new",))]
    rewrite(page, found)
    assert page.read_text() == PAGE.replace("old\nolder", "new")
    assert list(reader.follow(page)) == []
