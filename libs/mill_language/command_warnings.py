"""Warnings of what people expect to be replaced in commands and annotations, and what is text there."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from mill_api.constraints import shown
from mill_api.references import OPEN, Literal, ServiceRef, broken_references, parse_word
from mill_api.spec import MillDeploymentSpec, Service, Task
from mill_language.decode import Decoded
from mill_language.diagnostics import did_you_mean

_ENVIRONMENT: Final = re.compile(r"(?<!\$)\$(?:\{[A-Za-z_][A-Za-z0-9_]{0,99}\}|\([A-Za-z_][A-Za-z0-9_]{0,99}\))")
"""What a shell or Kubernetes would replace by a variable of the environment."""
_VARIABLE: Final = re.compile(r"(?<!\$)\$\{var\.([A-Za-z_][A-Za-z0-9_-]{0,62})\}")
_SHELLS: Final = frozenset({"sh", "ash", "bash", "dash", "ksh", "zsh", "busybox", "cmd", "env", "envsubst"})
_LONGEST: Final = 1000
"""Characters of a word in which variables are looked for: longer ones are scripts."""


def warn_of_text(decoded: Decoded, spec: MillDeploymentSpec) -> None:
    """Warn of words in commands and arguments which look as if something in them were replaced."""
    services = [each.name for each in spec.services]
    for kind, programs in (("service", spec.services), ("task", spec.tasks)):
        for program in programs:
            path = f"{kind}.{program.name}"
            for index, word in enumerate(program.command or ()):
                if OPEN in word:
                    _warn_of_references(decoded, f"{path}.command.{index}", word, services)
            words = list(_words(program))
            _warn_of_environment(decoded, path, words)
            _warn_of_variables(decoded, path, program, words)
            for key, text in program.annotations.items():
                if OPEN in text and any(not isinstance(part, Literal) for part in parse_word(text)):
                    message = "a reference is text in an annotation: nothing replaces it"
                    decoded.warn(f"{path}.annotations.{key}", message, advice="write the value itself, or remove it")


def _warn_of_references(decoded: Decoded, where: str, word: str, services: list[str]) -> None:
    """Warn of references that `args` would refuse. Release 0.1.0 had none in a command, so that they are text there."""
    for error in broken_references(word):
        decoded.warn(where, f"{error}, which is text in a command", advice="write it as in `args`, or remove it")
        return
    for part in parse_word(word):
        if isinstance(part, ServiceRef) and part.service not in services:
            message = f"unknown service reference '{shown(part.service)}', which is text in a command"
            advice = did_you_mean(part.service, services) or "name a service of this file"
            decoded.warn(where, message, advice=advice)
            return


def _warn_of_environment(decoded: Decoded, path: str, words: list[tuple[str, str]]) -> None:
    short = ((where, word) for where, word in words if "$" in word and len(word) <= _LONGEST)
    variables = [(where, found) for where, word in short if (found := _ENVIRONMENT.search(word)) is not None]
    if not variables or any(_has_shell(word) for _, word in words):
        return
    for where, found in variables:
        place = decoded.places.get(f"{path}.{where}")
        if place is not None and "$$" not in decoded.source.text(place):
            message = f"`{found[0]}` is text here: no shell replaces it"
            advice = 'let a shell run it, as in command = ["sh", "-c", "…"], or write the value'
            decoded.warn(f"{path}.{where}", message, advice=advice)


def _warn_of_variables(decoded: Decoded, path: str, program: Service | Task, words: list[tuple[str, str]]) -> None:
    """Warn of variables in a file that declares none, where `${…}` has always been text."""
    texts = [*words, *((f"file.{each.path}.content", each.content or "") for each in program.files)]
    for where, text in texts:
        found = _VARIABLE.search(text) if OPEN in text else None
        place = decoded.places.get(f"{path}.{where}")
        if found is not None and place is not None and "$$" not in decoded.source.text(place):
            message = f"`{found[0]}` is text here: the file declares no variable"
            advice = f'declare it: variable "{found[1]}" {{ default = "…" }}'
            decoded.warn(f"{path}.{where}", message, advice=advice)


def _words(program: Service | Task) -> Iterator[tuple[str, str]]:
    yield from ((f"command.{index}", word) for index, word in enumerate(program.command or ()))
    yield from ((f"args.{index}", word) for index, word in enumerate(program.args or ()))


def _has_shell(word: str) -> bool:
    return PurePosixPath(word[:_LONGEST]).name in _SHELLS
