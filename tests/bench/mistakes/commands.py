"""Mistakes on the command line, and in the address of the gateway."""

from collections.abc import Callable
from typing import Final

from tests.bench.command import Timed
from tests.bench.mistakes.mistake import Addresses, Chapter, Mistake, Place, Run, of_command


def _typed(line: str, code: int, text: str) -> Mistake:
    """Return a command as it is typed."""
    return Mistake(f"`mill {line}`", of_command(*line.split(), files=["shop.mill"]), code, text)


def _status_at(address: Callable[[Addresses], str], **environment: str) -> Run:
    def run(place: Place) -> Timed:
        return place.mill("status", MILL_ADDRESS=address(place.addresses), **environment)

    return run


COMMANDS: Final = Chapter(
    "Commands",
    "Commands and options as other tools call them, and names that do not exist. A service `web` is deployed, and "
    "there is a secret `db.password`.",
    (
        _typed("list", 2, "unrecognized subcommand 'list'"),
        _typed("get services", 2, "unrecognized subcommand 'get'"),
        _typed("describe web", 2, "unrecognized subcommand 'describe'"),
        _typed("events", 2, "unrecognized subcommand 'events'"),
        _typed("up", 2, "unrecognized subcommand 'up'"),
        _typed("apply -f shop.mill", 2, "unrecognized subcommand 'apply'"),
        _typed("scale web 3", 2, "unrecognized subcommand 'scale'"),
        _typed("undo", 2, "unrecognized subcommand 'undo'"),
        _typed("destroy", 2, "unrecognized subcommand 'destroy'"),
        _typed("statsu", 2, "did you mean status"),
        _typed("deploy shop.mill --dry-run", 2, "unexpected argument '--dry-run'"),
        _typed("deploy shop.mill --replicas 3", 2, "unexpected argument '--replicas'"),
        _typed("deploy shop.mill -n no-such-namespace", 1, "no-such-namespace"),
        _typed("status -n no-such-namespace", 1, "no-such-namespace"),
        _typed("status -n Shop", 2, "invalid namespace"),
        _typed("status --name shpo", 1, "shpo"),
        _typed("logs wbe", 1, "wbe"),
        _typed("secret get db.passwd", 1, "db.passwd"),
        _typed("deploy shop.mill -n kube-system", 1, "kube-system"),
    ),
    is_quick=True,
)
ADDRESSES: Final = Chapter(
    "Addresses and tokens",
    "`mill status` with another address or token.",
    (
        Mistake("the gateway is not running", _status_at(lambda each: each.closed), 2, "connection refused"),
        Mistake(
            "`https:` instead of `http:`",
            _status_at(lambda each: each.gateway.replace("http:", "https:")),
            2,
            "https://",
        ),
        Mistake("no scheme", _status_at(lambda _: "gateway.example:4400"), 2, "invalid gateway address"),
        Mistake("unknown host", _status_at(lambda _: "http://gateway.invalid:4400"), 2, "cannot connect"),
        Mistake("another server", _status_at(lambda each: each.other), 2, "no mill gateway answers there"),
        Mistake("no token", _status_at(lambda each: each.guarded), 1, "token"),
        Mistake("a wrong token", _status_at(lambda each: each.guarded, MILL_TOKEN="not-the-token"), 1, "token"),
    ),
    is_quick=True,
)
