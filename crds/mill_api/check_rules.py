"""The rules of the checks and the surge of one service, besides those of `service_rules`.

`validation` applies them. They have no CEL rules: what `service_rules` has of checks is what a schema can say cheaply.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

from mill_api.checks import Check, Live
from mill_api.constraints import (
    DEFAULT_CHECK_TIMEOUT,
    LEAST_COMMAND_INTERVAL,
    MAX_COMMAND,
    MAX_GRPC_SERVICE,
    MAX_HEADER_VALUE,
    MAX_HEADERS,
    PORT,
    shown,
)
from mill_api.durations import is_longer
from mill_api.problems import Problem, text_problems
from mill_api.references import OPEN, Literal, parse_word
from mill_api.service_rules import has_check, kinds_of, needs_port
from mill_api.spec import Service
from mill_api.text_rules import CHECK_TIMEOUT, DURATION, SURGE

_HEADER_NAME: Final = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]{1,100}")
"""RFC 9110, section 5.1."""
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")
_GRPC_SERVICE: Final = re.compile(r"[A-Za-z0-9_./-]*")


def port_of(check: Check, service: Service) -> int | None:
    """Return the number of the port that a check connects to; None if there is no such port."""
    if check.port is None:
        return service.port
    return int(check.port) if check.port.isdigit() else _named_ports(service).get(check.port)


def check_breaches(service: Service) -> Iterator[Problem]:
    """Yield every breach, in the order of the service's fields."""
    if service.health is not None:
        yield from _check("health", service.health, service)
    if service.live is not None:
        yield from _live(service.live, service)
        yield from _check("live", service.live, service)
    if service.update is not None and service.update.surge is not None:
        yield from text_problems("update.surge", SURGE, service.update.surge)
        volume = next((each for each in service.volumes if not each.ephemeral), None)
        if volume is not None:
            message = "surge has no effect with a persistent volume: the old replica ends before the new one starts"
            yield Problem("update.surge", message, "remove it", (f"volume.{volume.name}",))


def _live(check: Live, service: Service) -> Iterator[Problem]:
    """Yield what `service_rules` has of health, and what CEL does not check of `live`."""
    yield from text_problems("live.interval", DURATION, check.interval)
    if not has_check(check):
        message, advice = "a live block needs a path, a command, gRPC or a port", 'add `path = "/alive"`, or remove it'
        yield Problem("live", message, advice, (), ("live.path", "live.command", "live.grpc", "live.port"))
    elif needs_port(check) and service.port is None:
        advice = "add `port = …` to the live block, or to the service"
        yield Problem("live", "a live check needs a port", advice, (), ("port", "live.port"))
    first, *others = kinds_of(check) or [""]
    if others:
        advice = "keep the one that says best whether the program is alive"
        where = tuple(f"live.{each}" for each in (first, *others[1:]))
        yield Problem(f"live.{others[0]}", "a live check is of one kind: path, command or grpc", advice, where)


def _named_ports(service: Service) -> Mapping[str, int]:
    return {port.name: port.number for port in service.ports if port.protocol == "tcp"}


def _check(block: str, check: Check, service: Service) -> Iterator[Problem]:
    """Yield the breaches inside of a block `health` or `live`."""
    if check.timeout != DEFAULT_CHECK_TIMEOUT:
        yield from text_problems(f"{block}.timeout", CHECK_TIMEOUT, check.timeout)
        if not has_check(check):
            advice = f"add a check to the {block} block, or remove the timeout"
            message = "timeout needs a path, command, grpc or port"
            yield Problem(f"{block}.timeout", message, advice, (), (f"{block}.path",))
    if check.headers:
        yield from _headers(block, check)
    if check.command is not None:
        yield from _command(block, check, check.command)
    if check.grpc is not None and (len(check.grpc) > MAX_GRPC_SERVICE or not _GRPC_SERVICE.fullmatch(check.grpc)):
        advice = "write a name such as shop.v1.Cart, or true for the whole server"
        yield Problem(f"{block}.grpc", f"'{shown(check.grpc)}' is not the name of a gRPC service", advice)
    if check.port is not None:
        yield from _port(f"{block}.port", check.port, service)


def _headers(block: str, check: Check) -> Iterator[Problem]:
    path = f"{block}.headers"
    if check.path is None:
        message = "headers need a path: only an HTTP request has some"
        yield Problem(path, message, f"add `path` to the {block} block", absent=(f"{block}.path",))
    if len(check.headers) > MAX_HEADERS:
        yield Problem(path, f"more than {MAX_HEADERS} headers", "leave out those that the check does not need")
    for key, value in check.headers.items():
        where = f"{path}.{key}"
        if not _HEADER_NAME.fullmatch(key):
            yield Problem(where, f"'{shown(key)}' is not the name of an HTTP header", "use letters, digits and -")
        elif OPEN in value:
            yield Problem(where, "references are not replaced in a check", "write the value itself")
        elif len(value) > MAX_HEADER_VALUE or not _HEADER_VALUE.fullmatch(value):
            advice = f"use at most {MAX_HEADER_VALUE:,} printable ASCII characters"
            yield Problem(where, f"the value of header '{shown(key)}' is not one of HTTP", advice)


def _command(block: str, check: Check, command: list[str]) -> Iterator[Problem]:
    path = f"{block}.command"
    if not command or not command[0]:
        yield Problem(path, "the command of a check is empty", 'write a program with its arguments: ["pg_isready"]')
    if len(command) > MAX_COMMAND:
        yield Problem(path, f"more than {MAX_COMMAND} arguments", "put them into a script of the image")
    for index, word in enumerate(command[:MAX_COMMAND]):
        if OPEN in word and any(not isinstance(part, Literal) for part in parse_word(word)):
            advice = 'put it into `env`, and read the variable: ["sh", "-c", "my-check --password \\"$PASSWORD\\""]'
            yield Problem(f"{path}.{index}", "references are not replaced in the command of a check", advice)
    if check.port is not None:
        yield Problem(f"{block}.port", "the command of a check has no port", "remove one of both", (path,))
    if DURATION.refuse(check.interval) is None and not _is_at_least_the_least_interval(check.interval):
        message = f"a command may be run every 5s at most, got '{shown(check.interval)}'"
        yield Problem(f"{block}.interval", message, "each check is a new process: write 5s or more", (path,))


def _is_at_least_the_least_interval(interval: str) -> bool:
    return is_longer(interval, LEAST_COMMAND_INTERVAL - timedelta(milliseconds=1))


def _port(path: str, port: str, service: Service) -> Iterator[Problem]:
    if port.isdigit():
        if not PORT.least <= int(port) <= PORT.most:
            yield Problem(path, f"port must be from {PORT.least} to {PORT.most}", "write the number of a port")
        return
    known = _named_ports(service)
    if port in known:
        return
    if any(each.name == port for each in service.ports):
        where = (f"port.{port}",)
        yield Problem(path, f"port '{shown(port)}' is UDP: a check connects by TCP", "name a TCP port", where)
        return
    advice = f"write a number, or one of {', '.join(map(shown, sorted(known)))}" if known else "write its number"
    yield Problem(path, f"unknown port '{shown(port)}'", advice, absent=(f"port.{port}",))
