"""Output in pages that no test runs: what a test can know of it without a cluster."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mill_gateway.app import create_app
from mill_gateway.exceptions.base import error_classes
from mill_gateway.settings import Settings
from tests.cli.seed import LINES
from tests.support.gateway.served import connect
from tests.support.pages.blocks import ROOT, Block, Step, blocks

API = ROOT / "docs/api.md"
ELIDED = re.compile(r"(?<=[\[{,])…,?|,…(?=[\]}])")
EVENT = re.compile(r"event: (\w+)\ndata: (\{.*\})\nid: [0-9a-f]{8}\.(?:\d+|delete)\.(?:\d+|end)")
KEYS = {
    "progress": {"service", "phase", "node"},
    "failed": {"service", "reason"},
    "done": {"elapsed", "success"},
}
"""The fields of each event of a rollout, without those of `detail=full`."""


def checked(page: Path) -> Iterator[tuple[Block, Step]]:
    for block in blocks(page):
        if block.why.startswith(str(Path(__file__).relative_to(ROOT))):
            yield from ((block, step) for step in block.steps if step.output)


def _name(found: tuple[Block, Step]) -> str:
    return f"{found[0].line}-{found[1].command.split('/v1', 1)[-1]}"


STEPS = list(checked(API))
README = list(checked(ROOT / "README.md"))


def test_the_readme_shows_the_lines_of_the_scenario() -> None:
    shown = [step for _, step in README if step.command.startswith("mill deploy")]
    assert len(shown) == 2
    for step in shown:
        lines = [each for each in step.output if each and not each.startswith("(")]
        assert "".join(f"{each}\n" for each in lines) == LINES


@pytest.mark.parametrize("found", [*STEPS, *README], ids=_name)
def test_events_have_the_fields_of_the_api(found: tuple[Block, Step]) -> None:
    text = "\n".join(found[1].output).strip()
    if not text.startswith("event: "):
        return
    matches = [EVENT.fullmatch(each) for each in text.split("\n\n")]
    events = [(each[1], json.loads(each[2])) for each in matches if each is not None]
    assert len(events) == len(matches)
    assert events[-1][0] == "done"
    for name, data in events:
        assert data.keys() <= KEYS[name]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The OpenAPI document of the gateway."""
    settings = Settings(drain=True)
    gateway, _ = connect(settings)
    found: dict[str, Any] = create_app(settings, gateway).openapi()
    return found


@pytest.mark.parametrize("found", STEPS, ids=_name)
def test_answers_have_fields_that_the_api_describes(document: dict[str, Any], found: tuple[Block, Step]) -> None:
    step = found[1]
    for line in step.output:
        text = line.removeprefix("data: ")
        if not text.startswith(("[", "{")) or "event: done" in step.output:
            continue
        shown = json.loads(ELIDED.sub("", text))
        if "code" in shown:
            of_names = {"kind", "name", "namespace", "existing"} if "kind" in shown else set()
            assert shown.keys() == {"error", "code", "request", "request_id"} | of_names
            assert shown["code"] in {each.code for each in error_classes()}
            continue
        schema = _answer(document, step.command)
        if schema is not None:
            assert_described(document, schema, shown)


def _answer(document: dict[str, Any], command: str) -> dict[str, Any] | None:
    """Return the schema of the answer to a curl command; None for a stream."""
    address = next(word.strip("\"'") for word in command.split() if "/v1/" in word)
    method = "post" if " -d " in command or "--data" in command else "delete" if "DELETE" in command else "get"
    path = urlsplit(f"http://{address}").path
    known = next(
        each
        for each in sorted(document["paths"], key=lambda each: "{" in each)
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each), path) and method in document["paths"][each]
    )
    content = document["paths"][known][method]["responses"]["200"]["content"]
    schema: dict[str, Any] | None = content.get("application/json", {}).get("schema")
    return schema


def assert_described(document: dict[str, Any], schema: dict[str, Any], shown: Any) -> None:
    """Assert that every field of an answer is described."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for each in schema.get("anyOf", ()):
        if each.get("type") != "null":
            schema = each if "$ref" not in each else document["components"]["schemas"][each["$ref"].rpartition("/")[2]]
    if isinstance(shown, list):
        for each in shown:
            assert_described(document, schema.get("items", {}), each)
    elif isinstance(shown, dict) and "properties" in schema:
        assert shown.keys() <= schema["properties"].keys()
        for key, value in shown.items():
            assert_described(document, schema["properties"][key], value)
