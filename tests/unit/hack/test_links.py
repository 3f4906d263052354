"""Links between files of the repository lead somewhere."""

import pytest

from hack.checks.links import anchors, dead_links, links

PAGE = "# Two words, `code`\n\n## Again\n\n## Again\n"


def test_links_and_images_of_markdown_are_found_but_not_those_in_code() -> None:
    text = "[a](a.md) ![b](b.png) <https://example.com>\n\n```\n[c](c.md)\n```\n\n`[d](d.md)`\n\n[e]\n\n[e]: e.md\n"
    assert list(links(text)) == ["a.md", "b.png", "https://example.com", "e.md"]


def test_anchors_are_those_of_github() -> None:
    assert anchors(PAGE) == {"two-words-code", "again", "again-1"}


@pytest.mark.parametrize(
    "target",
    ["other.md", "other.md#again-1", "#here", "../README.md", "/docs/other.md", "../docs", "https://example.com/x"],
)
def test_a_link_that_leads_somewhere(target: str) -> None:
    texts = {"docs/page.md": f"# Here\n\n[x]({target})\n", "docs/other.md": PAGE, "README.md": ""}
    assert dead_links(texts, [*texts, "docs"]) == []


@pytest.mark.parametrize("target", ["missing.md", "other.md#missing", "#missing", "README.md", "../../README.md"])
def test_a_link_that_leads_nowhere_is_named_with_its_file(target: str) -> None:
    texts = {"docs/page.md": f"# Here\n\n[x]({target})\n", "docs/other.md": PAGE, "README.md": ""}
    assert dead_links(texts, [*texts, "docs"]) == [f"docs/page.md: {target}"]


def test_a_page_that_code_names_is_checked_with_its_anchor() -> None:
    texts = {
        "cli/a.py": '"""See docs/other.md#again and docs/other.md#gone, and docs/lost.md."""',
        "docs/other.md": PAGE,
    }
    assert dead_links(texts, texts) == ["cli/a.py: /docs/other.md#gone", "cli/a.py: /docs/lost.md"]
