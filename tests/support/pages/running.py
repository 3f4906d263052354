"""A page that is run from its first block to its last, as a reader does it on a terminal."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hack.pictures.terminal import CTRL_C, Terminal
from tests.support.pages.blocks import Block, Step, blocks
from tests.support.pages.likeness import is_like, same_ids

COLUMNS: Final = 120
LINES: Final = 60
LONGEST_SECONDS: Final = 90.0
FILES: Final = ("hcl", "yaml")
"""Blocks of these languages are files if their first line is a comment with a name."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A command that does not print what the page shows."""

    block: Block
    step: Step
    printed: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{self.block}: {self.step.command}", "--- the page:", *self.step.output]
        return "\n".join([*lines, "--- printed:", *self.printed, ""])


@dataclass
class Reader:
    """Someone who follows a page."""

    folder: Path
    environment: Mapping[str, str]
    replaces: Mapping[str, str] = field(default_factory=dict)
    """Texts of the page, such as an address, with what stands for them here."""
    called: Mapping[str, str] = field(default_factory=dict)
    """Texts that are printed here, such as the name of a namespace, with what the page calls them."""
    _ids: dict[str, str] = field(default_factory=dict)
    _code: int = 0

    def follow(self, page: Path) -> Iterator[Difference]:
        """Run a page; yield the commands whose output is not like that of the page."""
        for block in blocks(page):
            if block.language in FILES:
                self._save(block)
            elif block.language == "console" and block.note != "not run":
                yield from self._run(block)

    def _save(self, block: Block) -> None:
        """Write a block with a name to its file."""
        if not block.lines or not block.lines[0].startswith("# "):
            return
        name = block.lines[0].removeprefix("# ")
        if "." in name and " " not in name:
            (self.folder / name).write_text("\n".join(block.lines) + "\n")

    def _run(self, block: Block) -> Iterator[Difference]:
        steps = block.steps
        if block.note == "background":
            with self._started(steps[0]) as terminal:
                terminal.wait_for(lambda seen: bool(seen.strip()))
                printed = self._printed(terminal)
                yield from self._compared(block, steps[0], printed)
                for step in steps[1:]:
                    yield from self._compared(block, step, self._end(step))
                terminal.press(CTRL_C)
                terminal.end()
            return
        for step in steps:
            typed = block.why if block.note == "typed" and step is steps[-1] else ""
            yield from self._compared(block, step, self._end(step, typed))

    def _end(self, step: Step, typed: str = "") -> tuple[str, ...]:
        with self._started(step) as terminal:
            if typed:
                terminal.wait_for(lambda seen: seen.rstrip().endswith(("]", ":")))
                terminal.press(f"{typed}\n".encode())
            self._code = terminal.end(LONGEST_SECONDS)
            return self._printed(terminal)

    def _started(self, step: Step) -> Terminal:
        command = self._here(step.command)
        script = f"(exit {self._code}); {command}"
        return Terminal(
            *("bash", "-c", script),
            columns=COLUMNS,
            lines=LINES,
            environment={**os.environ, "TERM": "xterm-256color", **self.environment},
            folder=self.folder,
        )

    def _here(self, command: str) -> str:
        for shown, real in (*self.replaces.items(), *self._ids.items()):
            command = command.replace(shown, real)
        return command

    def _printed(self, terminal: Terminal) -> tuple[str, ...]:
        text = terminal.everything
        for shown, real in self.replaces.items():
            text = text.replace(real, shown)
        for printed, called in self.called.items():
            text = text.replace(printed, called)
        return tuple(text.splitlines())

    def _compared(self, block: Block, step: Step, printed: tuple[str, ...]) -> Iterator[Difference]:
        if block.note == "checked":
            return
        self._ids |= dict(same_ids(step.output, printed))
        if not is_like(step.output, printed):
            yield Difference(block, step, printed)


def rewrite(page: Path, differences: list[Difference]) -> None:
    """Put what was printed into a page, from its end to its beginning. It must be as it was when it was followed."""
    lines = page.read_text(encoding="utf-8").splitlines()
    for each in sorted(differences, key=lambda found: found.step.at, reverse=True):
        end = each.step.at + len(each.step.output)
        assert tuple(lines[each.step.at : end]) == each.step.output, "the page was changed meanwhile"
        lines[each.step.at : end] = each.printed
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")
