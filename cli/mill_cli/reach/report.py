"""How services are reached, at the end of a deploy."""

from typing import Final

from mill_cli.connection.client import Gateway
from mill_cli.connection.streams import RolloutStream
from mill_cli.errors import CliError
from mill_cli.files import File
from mill_cli.output import screen
from mill_cli.output.reach_lines import reach_lines
from mill_cli.runs import command
from mill_cli.services import read_services

_WORDS: Final = (b"route", b"outside")
"""A file without these words has nothing that is reached from outside, in each of its forms."""


def report_reach(gateway: Gateway, stream: RolloutStream, file: File) -> None:
    """Print to standard error by which URL or command each service is reached.

    Where that is no terminal, only URLs, and only if the file has routes: the lines of a log stay the original's.
    """
    options = gateway.options
    commands = screen.interactive()
    if options.as_json or options.quiet or not (commands or any(word in file.text for word in _WORDS)):
        return
    namespace, name = stream.deployment
    query = {"name": name} | ({"namespace": namespace} if namespace else {})
    try:
        services = read_services(gateway, **query)
    except CliError:  # the rollout is over; a caller that may deploy may not be permitted to list
        return
    for line in reach_lines(services, lambda service: command(options, "forward", service), commands=commands):
        screen.note(line)
