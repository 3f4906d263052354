"""Rollouts: `deploy`, `restart`, `watch`, `diff`, `history`."""

from pathlib import Path

import click

from mill_cli import completion, files
from mill_cli.command import command
from mill_cli.commands.parameters import file_argument, file_option, force_option, service_argument
from mill_cli.errors import Exit
from mill_cli.options import Options


@command()
@file_argument
@file_option
@force_option
def deploy(options: Options, path: Path | None, file: Path | None, *, force: bool) -> Exit:
    """Deploy a file and follow the rollout until it finishes.

    The file describes everything that is deployed: services that it no longer has are removed. Services are
    independent: one that fails does not affect the others, and a working version keeps running until a new one is
    healthy. The rollout continues if this command ends; `mill watch` follows it again.

    \b
    Exit codes:
      0  every service is healthy
      1  a service failed, or the file was refused
      2  no connection to the gateway, or wrong usage
      3  connection lost; the rollout continues
      4  cannot read the file

    \b
    Examples:
      mill deploy -f production.mill
      mill deploy production.mill --namespace shop --json
      envsubst < production.mill | mill deploy -
    """
    from mill_cli.rollouts import deploy as run

    return run(options, files.read(files.choose(path, file)), force=force)


@command()
@service_argument
def restart(options: Options, service: str) -> Exit:
    """Restart a service and wait for the rollout to finish.

    New pods start with the same image and the current values of the secrets. Old pods stop when new ones are ready.
    """
    from mill_cli.rollouts import restart as run

    return run(options, service)


@command()
@click.option("--rollout", metavar="ID", help="A rollout of `mill history`. [default: the current one]")
@click.option("--service", metavar="NAME", help="Show only this service.", shell_complete=completion.services)
def watch(options: Options, *, rollout: str | None, service: str | None) -> Exit:
    """Follow a rollout until it finishes.

    The output begins with what has happened so far. The exit codes are those of `mill deploy`.
    """
    from mill_cli.rollouts import watch as run

    return run(options, rollout, service)


@command()
@file_argument
@file_option
@force_option
@click.option("--exit-code", is_flag=True, help="Exit with 1 if the deploy would change anything.")
def diff(options: Options, path: Path | None, file: Path | None, *, force: bool, exit_code: bool) -> Exit:
    """Show what a deploy of a file would change.

    The cluster checks the file as it would for a deploy, and changes nothing.
    """
    from mill_cli.diff import diff as run

    return run(options, files.read(files.choose(path, file)), force=force, exit_code=exit_code)


@command()
def history(options: Options) -> None:
    """List the last rollouts and their results, newest first."""
    from mill_cli.history import show_history

    show_history(options)
