"""What to write instead of an expression that is no reference: what was probably meant, and what mill has for it.

Terraform, Nomad and Compose have functions and other names. Pure, and of bounded cost: expressions may be long.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from mill_api import names

_LONGEST: Final = 200
"""Characters of an expression that are looked at: a longer one is not meant as a reference."""
_CALL: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*) *\((.*)\)", re.DOTALL)
_DOTTED: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)\.(.+)")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_SECRET_KEY: Final = re.compile(names.SECRET_KEY)
_SERVICE: Final = re.compile(names.SERVICE_NAME)
_ATTRIBUTES: Final = ("address", "host", "port", "url")
_FILES: Final = frozenset({"file", "filebase64", "templatefile", "fileset"})
_ENVIRONMENTS: Final = frozenset({"env", "getenv", "get_env"})
_NO_FUNCTIONS: Final = "mill has no functions"


class Advice(NamedTuple):
    """What to write instead."""

    help: str
    meant: str | None = None
    """The reference that was probably meant."""


def advise(expression: str) -> Advice | None:
    """Return what to write instead of an expression, which has no `${` and `}`; None if only the forms are known."""
    text = " ".join(expression[: _LONGEST + 1].split())
    if len(text) > _LONGEST:
        return None
    if (call := _CALL.fullmatch(text)) is not None:
        return _instead_of_call(call[1], call[2].strip(" \"'"))
    if (dotted := _DOTTED.fullmatch(text)) is not None:
        return _instead_of_dotted(dotted[1], dotted[2])
    if text == "null":
        return Advice('leave the line out if the variable should not be set, or write "" for an empty one')
    if _NAME.fullmatch(text) and text not in ("true", "false"):
        return Advice(f"{declare(text)}, and write ${{var.{text}}}; $${{{text}}} stands for the text ${{{text}}}")
    return None


def declare(name: str) -> str:
    """Return how a file declares a variable."""
    return f'declare it: variable "{name[:100]}" {{ default = "…" }}'


def _instead_of_call(function: str, argument: str) -> Advice | None:
    if _nearest(function, ("secret",), cutoff=0.8):
        return _reference(f"secret({argument})") if _SECRET_KEY.fullmatch(argument) else None
    if function.lower() in _FILES:
        name = argument if re.fullmatch(r"[-\w./]{1,60}", argument) else "FILE"
        return Advice(
            f'{_NO_FUNCTIONS}: a block file "/path" {{ from = "{name}" }} puts a file into the container; '
            f'for its text as a value declare a variable, and give it by --var NAME="$(cat {name})"'
        )
    if function.lower() in _ENVIRONMENTS:
        name = argument if _NAME.fullmatch(argument) else "NAME"
        return Advice(f"{_NO_FUNCTIONS}: {_given_by_environment(name)}")
    return Advice(f'{_NO_FUNCTIONS}: write the value itself, or declare variable "NAME" {{}} and give it by --var')


def _instead_of_dotted(word: str, rest: str) -> Advice | None:
    if word in ("var", "local", "locals", "env", "data", "each", "count", "module"):
        if not _NAME.fullmatch(rest):
            return Advice('mill has variables only: declare variable "NAME" {}, and write ${var.NAME}')
        if word == "var":
            return Advice(declare(rest))
        if word == "env":
            return Advice(_given_by_environment(rest))
        return Advice(f"{declare(rest)}, and write ${{var.{rest}}}")
    if _nearest(word, ("secret",), cutoff=0.8) and _SECRET_KEY.fullmatch(rest):
        return _reference(f"secret({rest})")
    if _nearest(word, ("service",), cutoff=0.8):
        service, _, attribute = rest.rpartition(".")
        if not service:
            service, attribute = rest, "address"
        known = _nearest(attribute, _ATTRIBUTES, cutoff=0.6)
        if known is not None and _SERVICE.fullmatch(service):
            return _reference(f"service.{service}.{known}")
    return None


def _given_by_environment(name: str) -> str:
    return f'declare variable "{name}" {{}}, give it by MILL_VAR_{name}, and write ${{var.{name}}}'


def _nearest(word: str, known: Sequence[str], cutoff: float) -> str | None:
    import difflib  # noqa: PLC0415 - most files have nothing to correct

    return next(iter(difflib.get_close_matches(word.lower(), known, n=1, cutoff=cutoff)), None)


def _reference(expression: str) -> Advice:
    meant = f"${{{expression}}}"
    return Advice(f"did you mean {meant}?", meant)
