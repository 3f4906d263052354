"""The rules of references: in environments, arguments and files, to secrets and to what services have."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from mill_api import names
from mill_api.constraints import shown
from mill_api.endpoints import endpoint_of
from mill_api.ports import MAIN
from mill_api.problems import Problem
from mill_api.reference_advice import advise
from mill_api.references import (
    ESCAPED_OPEN,
    OPEN,
    Attribute,
    InvalidValue,
    Literal,
    Part,
    SecretRef,
    ServiceRef,
    broken_references,
    parse_value,
    parse_word,
)
from mill_api.spec import Service, Task
from mill_api.text_rules import PORT_NAME, SECRET_NAME

Services: TypeAlias = Mapping[str, Service]
"""The services of a spec, by their names."""

MAX_REFERENCES: Final = 1000
"""References in the environment and the arguments of one service or task. Each may become a variable of its own."""
_FILE_FORMS: Final = "write ${service.NAME.address}, .host, .port or .url; $${…} stands for the text ${…}"
_FORMS: Final = "write ${secret(NAME)}, or ${service.NAME.address}, .host, .port or .url"
_ENV_NAME: Final = re.compile(names.ENV_NAME)


def env_problems(path: str, program: Service | Task, services: Services) -> Iterator[Problem]:
    """Yield names of variables that are none, and references in their values that lead nowhere."""
    for key, value in program.env.items():
        where = f"{path}.env.{key}"
        if not _ENV_NAME.fullmatch(key):
            advice = "use letters, digits, _, - and ., and do not begin with a digit"
            yield Problem(where, f"'{shown(key)}' is not the name of an environment variable", advice)
        if OPEN in value:
            yield from _check_references(where, value, services)
    count = sum(value.count(OPEN) - value.count(ESCAPED_OPEN) for value in program.env.values())
    if count > MAX_REFERENCES:
        advice = "put values that belong together into one secret"
        yield Problem(path, f"its environment has {count:,} references, more than {MAX_REFERENCES:,}", advice)


def argument_problems(path: str, program: Service | Task, services: Services) -> Iterator[Problem]:
    """Yield references in arguments that lead nowhere.

    What is none in a command is text: release 0.1.0 had no references there.
    """
    parsed = [parse_word(word) for word in program.command or () if OPEN in word]
    for index, word in enumerate(program.args or ()):
        if OPEN not in word:
            continue
        where = f"{path}.args.{index}"
        parsed.append(parse_word(word))
        for error in broken_references(word):
            yield _broken(where, error, "$${…} stands for the text ${…}")
            break
        else:
            yield from _check_parts(where, parsed[-1], services)
    count = sum(not isinstance(part, Literal) for parts in parsed for part in parts)
    if count > MAX_REFERENCES:
        message = f"its command has {count:,} references, more than {MAX_REFERENCES:,}"
        yield Problem(path, message, "put values that belong together into one secret")


def file_problems(path: str, program: Service | Task, services: Services) -> Iterator[Problem]:
    """Yield references in the contents of files that lead nowhere."""
    count = 0
    for file in program.files:
        if file.content is None or OPEN not in file.content:
            continue
        where = f"{path}.file.{file.path}.content"
        for error in broken_references(file.content):
            yield Problem(where, str(error), _FILE_FORMS)
            break
        else:
            parts = [part for part in parse_word(file.content) if isinstance(part, ServiceRef)]
            yield from _check_parts(where, dict.fromkeys(parts), services)
            count += len(parts)
    if count > MAX_REFERENCES:
        message = f"its files have {count:,} references, more than {MAX_REFERENCES:,}"
        yield Problem(path, message, "put values that belong together into one variable of `env`")


def _check_references(where: str, value: str, services: Services) -> Iterator[Problem]:
    try:
        parts = parse_value(value)
    except InvalidValue as error:
        yield _broken(where, error, "$${ stands for a literal ${")
        return
    yield from _check_parts(where, parts, services)


def _broken(where: str, error: InvalidValue, escape: str) -> Problem:
    """Return the problem of a reference that cannot be read."""
    advice = None if error.expression is None else advise(error.expression)
    if advice is None:
        return Problem(where, str(error), f"{_FORMS}; {escape}", wire=error.wire)
    return Problem(where, str(error), advice.help, wire=error.wire, meant=advice.meant)


def _check_parts(where: str, parts: Iterable[Part], services: Services) -> Iterator[Problem]:
    for part in parts:
        match part:
            case SecretRef(name) if (refusal := SECRET_NAME.refuse(name)) is not None:
                bare = name.strip("\"'")
                is_quoted = SECRET_NAME.refuse(bare) is None
                advice = f"write it without quotes: ${{secret({bare})}}" if is_quoted else refusal.suggestion
                yield Problem(where, refusal.message, advice)
            case ServiceRef(name) if name not in services:
                yield Problem(where, f"unknown service reference '{shown(name)}'", absent=(f"service.{name}",))
            case ServiceRef(name, _, str() as port):
                if port not in {each.name for each in services[name].ports}:
                    yield _unknown_port(where, services[name], port)
            case ServiceRef(name, attribute) if not _has(services[name], attribute):
                other = f"service.{name}"
                what = "port" if attribute is Attribute.PORT else "address"
                message = f"service '{name}' has no {what}"
                advice = f"give '{name}' a port"
                if services[name].ports:
                    advice = f"give '{name}' a main port: `port = …`; or name one: ${{service.{name}.PORT.{attribute}}}"
                yield Problem(where, message, advice, (other,), absent=(f"{other}.port",))
            case ServiceRef(name, Attribute.URL) if endpoint_of(services[name]).url is None:
                other = f"service.{name}"
                advice = f"give '{name}' a route whose host has no *, or write ${{service.{name}.address}}"
                yield Problem(where, f"service '{name}' has no URL", advice, (other,), absent=(f"{other}.route",))


def _has(service: Service, attribute: Attribute) -> bool:
    """Return whether a service has what an attribute needs: any port for its host, else the main one."""
    return service.port is not None or (attribute is Attribute.HOST and bool(service.ports))


def _unknown_port(where: str, service: Service, port: str) -> Problem:
    from difflib import get_close_matches  # noqa: PLC0415 - it takes a while to load

    other = f"service.{service.name}"
    known = [each.name for each in service.ports]
    near = get_close_matches(port[: PORT_NAME.max_length], known, 1)
    advice = f'declare it: port "{shown(port)}" {{ number = … }}'
    if port == MAIN:
        advice = f"write ${{service.{service.name}.port}} for the main port"
    elif near:
        advice = f"did you mean `{near[0]}`?"
    elif known:
        advice = f"its named {'port is' if len(known) == 1 else 'ports are'} {', '.join(map(shown, known))}"
    message = f"service '{service.name}' has no port '{shown(port)}'"
    return Problem(where, message, advice, (other,), absent=(f"{other}.port.{port}",))
