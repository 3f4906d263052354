"""Reaching what is deployed: `forward`, `open`, `exec`."""

import click

from mill_cli import completion
from mill_cli.command import command
from mill_cli.errors import Exit
from mill_cli.options import Options
from mill_cli.reach.ports import Ports, PortsParameter

_service = click.argument(
    "service",
    metavar="SERVICE",
    help="Name of a service, or of one of its pods.",
    shell_complete=completion.services,
)


@command()
@_service
@click.argument(
    "ports",
    metavar="[PORT]",
    type=PortsParameter(),
    required=False,
    help="Port of the service, or LOCAL:PORT with that of this machine. [default: the service's, for both]",
)
def forward(options: Options, service: str, ports: Ports | None) -> Exit:
    """Forward a port of this machine to a service.

    Connections to 127.0.0.1 reach one ready pod of the service. If this pod goes away, they reach another one. Ctrl-C
    ends the command. If the port of this machine is not free and was not given, another one is used; `:PORT` uses any.

    kubectl forwards the port, with your own kubeconfig and rights, in the context of --context or else the current one.

    \b
    Examples:
      mill forward web
      mill forward db 15432:5432 --namespace shop
    """
    from mill_cli.reach.forward import forward as run

    return run(options, service, ports or Ports())


@command()
@_service
def open(options: Options, service: str) -> Exit:  # noqa: A001 - the name of the command
    """Open a service in the browser.

    This opens the first URL of the service that an ingress controller serves. Without one, the command forwards a port
    as `mill forward` does and opens that; Ctrl-C ends it. It prints the URL, also where there is no browser.
    """
    from mill_cli.reach.browser import open_service

    return open_service(options, service)


@command()
@_service
@click.argument(
    "words", metavar="[-- COMMAND...]", nargs=-1, type=click.UNPROCESSED, help="Program and arguments. [default: sh]"
)
def exec(options: Options, service: str, words: tuple[str, ...]) -> int:  # noqa: A001 - the name of the command
    """Run a program in a pod of a service.

    The pod is a ready one of the current version if there is one. The program gets standard input, and on a terminal a
    terminal of its own. kubectl runs it, with your own kubeconfig and rights, in the context of --context or else the
    current one. The exit code is that of the program; it is 1 if kubectl cannot run it.

    \b
    Examples:
      mill exec web
      mill exec web -- env
      mill exec db -- pg_dump shop > shop.sql
    """
    from mill_cli.reach.programs import run_program

    return run_program(options, service, words)
