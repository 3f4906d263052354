"""`mill registry login` and `logout`: the credentials, from where they are."""

import getpass
import sys
from typing import Final

from mill_cli.connection.client import Gateway
from mill_cli.errors import CliError, Exit
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.text import one_line

LONGEST_PASSWORD: Final = 16 * 1024
"""Bytes of a password or token."""


def login(options: Options, host: str, username: str | None, *, from_stdin: bool) -> None:
    """Set the credentials of a registry. Raise `CliError`."""
    name = username or _asked_username(host, from_stdin=from_stdin)
    password = _piped() if from_stdin else _asked_password(host, name)
    if not password:
        raise CliError(Exit.USAGE, "the password is empty")
    body = {"host": host, "username": name, "password": password}
    with Gateway(options) as gateway:
        gateway.request("PUT", "/v1/registries", query=options.where, json=body)
    if options.quiet or options.as_json:
        return
    screen.note(f"credentials for {one_line(host)} set")
    screen.note('services with `pull = "mill-registries"` use them')


def logout(options: Options, host: str) -> None:
    """Remove the credentials of a registry. Raise `CliError`."""
    with Gateway(options) as gateway:
        gateway.request("DELETE", "/v1/registries", query={**options.where, "host": host})
    if not options.quiet and not options.as_json:
        screen.note(f"credentials for {one_line(host)} removed")


def _asked_username(host: str, *, from_stdin: bool) -> str:
    if from_stdin or not sys.stdin.isatty():
        raise CliError(Exit.USAGE, "no user", "give it with --username")
    screen.note(f"user at {one_line(host)}:")
    return sys.stdin.readline().strip()


def _asked_password(host: str, username: str) -> str:
    if not sys.stdin.isatty():
        raise CliError(Exit.USAGE, "no password", "pipe it, with --password-stdin")
    return getpass.getpass(f"password of {one_line(username)} at {one_line(host)}: ")


def _piped() -> str:
    data = sys.stdin.buffer.read(LONGEST_PASSWORD + 1)
    if len(data) > LONGEST_PASSWORD:
        raise CliError(Exit.USAGE, f"the password has more than {LONGEST_PASSWORD:,} bytes")
    try:
        return data.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise CliError(Exit.USAGE, "the password is not UTF-8") from None
