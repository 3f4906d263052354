"""What a file declares for itself, and what is resolved before it is a spec: variables and shared environments."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from mill_api.constraints import MAX_ENV
from mill_api.references import Literal, format_value
from mill_language.decode import Decoded, Decoder, Fields
from mill_language.diagnostics import did_you_mean
from mill_language.inputs import MAX_VALUE, MAX_VARIABLES, VARIABLE_NAME, Inputs, InvalidInput, UnknownVariables
from mill_language.schema import DECLARATIONS
from mill_language.source import Span
from mill_language.substitution import UNKNOWN_VALUE, Substitution
from mill_language.syntax import Body, File

MAX_SHARED: Final = 20_000
"""Variables that shared environments and files add to all services and tasks together."""
MAX_SOURCES: Final = 20
"""Shared environments, or files, of one service or task."""


def resolve_variables(file: File, decoded: Decoded, inputs: Inputs) -> File:
    """Return a file whose strings have the values of its variables. Raise `UnknownVariables`."""
    declared = tuple(item for item in file.body.items if item.name == "variable")
    if not declared:
        if inputs.variables:
            raise UnknownVariables(inputs.variables, ())
        return file
    decoder = Decoder(decoded, whole=file.whole)
    fields: Any = decoder.body(Body(file.body.span, declared), DECLARATIONS, "", Span(0, 0))
    variables: list[Fields] = fields.get("variables", [])
    names = [str(each["name"]) for each in variables]
    unknown = {name: given for name, given in inputs.variables.items() if name not in names}
    if unknown:
        raise UnknownVariables(unknown, tuple(names))
    substitution = Substitution(_values(variables, decoded, inputs), decoded)
    others = tuple(item for item in file.body.items if item.name != "variable")
    resolved = replace(file, body=replace(file.body, items=substitution.items(others)))
    for name in names:
        if name not in substitution.used:
            advice = f"remove it, or write ${{var.{name}}} where its value belongs"
            where = f"variable.{name}"
            decoded.warn(where, f"variable '{name[:100]}' is not used", advice=advice)
    return resolved


def _values(variables: list[Fields], decoded: Decoded, inputs: Inputs) -> dict[str, str]:
    values: dict[str, str] = {}
    for number, each in enumerate(variables, start=1):
        name = str(each["name"])
        where = f"variable.{name}"
        place = decoded.places[where]
        if number == MAX_VARIABLES + 1:
            decoded.report(place, f"more than {MAX_VARIABLES} variables", path=where, parse_error=False)
        if not VARIABLE_NAME.fullmatch(name):
            advice = "use at most 63 letters, digits, _ and -, and begin with a letter or _"
            message = f"'{name[:100]}' is not the name of a variable"
            decoded.report(place, message, path=where, advice=advice, parse_error=False)
        given = inputs.variables.get(name) or inputs.environment.get(name)
        default = str(each["default"]) if "default" in each else None
        value = default if given is None else given.value
        if value is None:
            is_broken = f"{where}.default" in decoded.places  # which is reported already
            if not is_broken:
                advice = f"give it: --var {name}=…, in a file with --vars, or MILL_VAR_{name}; or write a default"
                message = f"variable '{name[:100]}' has no value"
                decoded.report(place, message, path=where, advice=advice, parse_error=False)
            value = UNKNOWN_VALUE
        if given is not None and len(value) > MAX_VALUE:
            message = f"the value of variable '{name[:100]}' has more than {MAX_VALUE} characters ({given.origin})"
            decoded.report(place, message, path=where, parse_error=False)
            value = UNKNOWN_VALUE
        values[name] = value
    return values


class Environments:
    """The environments of a file, as services and tasks get them from shared blocks and from files."""

    def __init__(self, decoded: Decoded, inputs: Inputs) -> None:
        self._decoded = decoded
        self._read = inputs.read_env_file
        shared = _list(decoded.fields.pop("environments", []))
        self._shared: dict[str, dict[str, str]] = {each["name"]: each["env"] for each in shared}
        self._files: dict[str, Mapping[str, str]] = {}
        self._used: set[str] = set()
        self._added = 0

    def merge(self) -> bool:
        """Give every service and task its whole environment: files first, then `use` in its order, then its own.

        Return whether there was anything to do.
        """
        is_needed = bool(self._shared)
        for kind in ("service", "task"):
            for each in _list(self._decoded.fields.get(f"{kind}s", [])):
                used, files = each.pop("use", None), each.pop("env_file", None)
                if used is not None or files is not None:
                    is_needed = True
                    self._extend(each, f"{kind}.{each['name']}", files or [], used or [])
        for name in self._shared:
            if name not in self._used:
                advice = f'write use = ["{name[:100]}"] in the services and tasks that need it'
                self._decoded.warn(f"env.{name}", f"env '{name[:100]}' is not used", advice=advice)
        return is_needed

    def _extend(self, program: Any, path: str, files: list[str], used: list[str]) -> None:
        merged: dict[str, str] = {}
        values: Mapping[str, str]
        places: dict[str, Span] = {}
        for where, name in self._each(f"{path}.env_file", files):
            # A file has values alone: no text in it is a reference.
            values = {key: format_value([Literal(value)]) for key, value in self._of_file(name, where).items()}
            merged |= values
            places |= dict.fromkeys(values, self._decoded.places[where])
        for where, name in self._each(f"{path}.use", used):
            values = self._of_block(name, where)
            merged |= values
            places |= {key: self._decoded.places[f"env.{name}.{key}"] for key in values}
        own = program.get("env", {})
        self._added += len(merged)
        if self._added > MAX_SHARED:
            if self._added - len(merged) <= MAX_SHARED:
                self._report(path, f"`use` and `env_file` add more than {MAX_SHARED:,} variables to the file")
            return
        for key, place in places.items():
            if key not in own:
                self._decoded.places[f"{path}.env.{key}"] = place
        whole = {key: value for key, value in merged.items() if key not in own} | own
        if len(whole) > MAX_ENV:
            self._report(path, f"its environment has more than {MAX_ENV} variables")
            return
        if whole:
            program["env"] = whole

    def _each(self, path: str, names: list[str]) -> Iterator[tuple[str, str]]:
        """Yield the place and the name of each entry of a list, without those that are refused."""
        if len(names) > MAX_SOURCES:
            self._report(path, f"more than {MAX_SOURCES} names")
        first: dict[str, str] = {}
        for index, name in enumerate(names[:MAX_SOURCES]):
            where = f"{path}.{index}"
            earlier = first.setdefault(name, where)
            if earlier == where:
                yield where, name
            else:
                self._report(where, f"'{name[:100]}' is named twice", "name it once")

    def _of_block(self, name: str, where: str) -> Mapping[str, str]:
        if name not in self._shared:
            advice = did_you_mean(name, self._shared) or f'declare it: env "{name[:100]}" {{ … }}'
            self._report(where, f"unknown env '{name[:100]}'", advice)
            return {}
        self._used.add(name)
        return self._shared[name]

    def _of_file(self, name: str, where: str) -> Mapping[str, str]:
        if name in self._files:
            return self._files[name]
        self._files[name] = {}
        if self._read is None:
            advice = "`mill deploy` reads it; for anything else send the output of `mill render -o mill`"
            self._report(where, "a file with environment variables cannot be read here", advice)
            return {}
        try:
            self._files[name] = self._read(name)
        except InvalidInput as error:
            self._report(where, str(error), error.advice)
        return self._files[name]

    def _report(self, path: str, message: str, advice: str | None = None) -> None:
        place = self._decoded.places[path]
        self._decoded.report(place, message, path=path, advice=advice, parse_error=False)


def _list(found: Any) -> list[Any]:
    """Return decoded blocks of one kind."""
    return found if isinstance(found, list) else []
