"""Links between files of the repository: `python -m hack.checks.links` fails if one leads nowhere.

Checked are links and images of Markdown files, with their anchors, and the pages that code, charts and error texts
name (`docs/access.md`). Addresses outside the repository are not asked for: a check must not need a network.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT: Final = Path(__file__).parents[2]
_PAGE_IN_TEXT: Final = re.compile(r"(?<![\w/.-])docs/[\w/-]+\.md(?:#[\w-]+)?")
_FOREIGN: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_OF_OTHERS: Final = ("tests/", "docs/style.md")
"""Where names of pages may be made up."""


def links(markdown: str) -> Iterator[str]:
    """Yield the targets of a Markdown text's links and images."""
    for token in _inline(MarkdownIt("gfm-like", {"linkify": False}).parse(markdown)):
        target = token.attrGet("href") if token.type == "link_open" else token.attrGet("src")
        if token.type in ("link_open", "image") and isinstance(target, str):
            yield target


def anchors(markdown: str) -> set[str]:
    """Return the anchors that GitHub gives a text's headings."""
    found: dict[str, int] = {}
    result: set[str] = set()
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown)
    for opening, content in pairwise(tokens):
        if opening.type == "heading_open":
            text = "".join(each.content for each in content.children or () if each.type in ("text", "code_inline"))
            slug = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
            count = found.get(slug, 0)
            found[slug] = count + 1
            result.add(f"{slug}-{count}" if count else slug)
    return result


def dead_links(texts: Mapping[str, str], paths: Iterable[str]) -> list[str]:
    """Return a line for each link that leads nowhere: `file: target`.

    `texts` has the content of the files to check by path from the repository's root; `paths` are all paths that exist,
    folders included.
    """
    existing = set(paths)
    known = {path: anchors(text) for path, text in texts.items() if path.endswith(".md")}
    found = []
    for path, text in texts.items():
        targets = links(text) if path.endswith(".md") else map("/".__add__, _PAGE_IN_TEXT.findall(text))
        found += [f"{path}: {target}" for target in targets if not _leads(path, target, existing, known)]
    return found


def _leads(path: str, target: str, existing: set[str], anchors_of: Mapping[str, set[str]]) -> bool:
    if _FOREIGN.match(target):
        return True
    place, _, anchor = unquote(target).partition("#")
    page = _resolved(path, place) if place else path
    if page not in existing:
        return False
    return not anchor or page not in anchors_of or anchor in anchors_of[page]


def _resolved(path: str, place: str) -> str:
    """Return the path from the root that a link in a file means; one that begins with `/` starts at the root."""
    parts = [] if place.startswith("/") else path.split("/")[:-1]
    for part in place.strip("/").split("/"):
        if part == "..":
            parts = parts[:-1] if parts else ["<outside>"]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _inline(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _inline(token.children or ())


def main() -> int:
    """Print the dead links of the repository; return the exit code."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    files = [each for each in listed if each and (ROOT / each).is_file()]
    folders = {str(parent) for each in files for parent in Path(each).parents} - {"."}
    kinds = (".md", ".py", ".yaml", ".txt", ".tpl", ".toml")
    checked = [each for each in files if each.endswith(kinds) and not each.startswith(_OF_OTHERS)]
    dead = dead_links({each: (ROOT / each).read_text(encoding="utf-8") for each in checked}, [*files, *folders])
    sys.stderr.writelines(f"dead link: {each}\n" for each in dead)
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())
