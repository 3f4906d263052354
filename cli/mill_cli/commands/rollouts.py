"""Rollouts: `deploy`, `restart`, `watch`, `diff`, `history`."""

from pathlib import Path
from typing import Any, Final

import click

from mill_cli import completion, files
from mill_cli.command import command
from mill_cli.errors import Exit
from mill_cli.options import Options

SECTION: Final = "Deploy"
FILE: Final = click.Path(path_type=Path, allow_dash=True)
positional = click.argument(
    "path",
    metavar="[FILE]",
    type=FILE,
    required=False,
    help="A .mill file, or a MillDeployment in YAML; - is standard input. [default: ./mill.conf]",
)
file_option = click.option("--file", "-f", metavar="FILE", type=FILE, help="The same as FILE.")
force_option = click.option(
    "--force", is_flag=True, help="Although Argo CD or Flux manages it; its next sync puts back what it manages."
)
service_argument = click.argument(
    "service", metavar="SERVICE", help="Name of the service.", shell_complete=completion.services
)


def add(app: click.Group) -> None:
    """Add these commands."""

    @command(app, section=SECTION)
    @positional
    @file_option
    @force_option
    def deploy(options: Options, path: Path | None, file: Path | None, *, force: bool) -> Exit:
        """Deploy a file, and follow the rollout to its end.

        What is deployed becomes what the file says: services that left it are removed. Services are independent: one
        that fails does not touch the others, and a version that works stays until a new one does. The rollout goes on
        if this command ends; `mill watch` joins it again.

        \b
        Exit codes:
          0  everything is healthy
          1  something failed, or the file was refused
          2  no connection to the gateway, or wrong usage
          3  the connection was lost, and the rollout goes on
          4  the file cannot be read

        \b
        Examples:
          mill deploy -f production.mill
          mill deploy production.mill --namespace shop --json
          envsubst < production.mill | mill deploy -
        """
        from mill_cli.connection.client import Gateway
        from mill_cli.connection.failures import Refused
        from mill_cli.deploy import deploy as send

        read = files.read(files.choose(path, file))
        with Gateway(options) as gateway:
            try:
                return send(gateway, read, force=force)
            except Refused as error:
                raise _with_places(error, read) from error

    @command(app, section=SECTION)
    @service_argument
    def restart(options: Options, service: str) -> Exit:
        """Give a service new pods, and follow that to its end.

        The image is the same, the secrets' values are those of now. Old pods go when new ones are ready.
        """
        from mill_cli.connection.client import Gateway, path
        from mill_cli.connection.streams import Request, RolloutStream
        from mill_cli.follow import follow, wants_details
        from mill_cli.output.lines import RESTART

        request = Request("POST", path("restart", service), options.query | wants_details(options))
        with Gateway(options) as gateway:
            return follow(
                gateway,
                lambda notice: RolloutStream(gateway, request, service=service, notice=notice),
                lambda: [service],
                RESTART,
            )

    @command(app, section=SECTION)
    @click.option("--rollout", metavar="ID", help="One of `mill history`; unset, the current one.")
    @click.option("--service", metavar="NAME", help="Tell of this service only.", shell_complete=completion.services)
    def watch(options: Options, *, rollout: str | None, service: str | None) -> Exit:
        """Join a rollout, whoever began it, to its end.

        First comes what has happened so far. The exit codes are those of `mill deploy`.
        """
        from mill_cli.deploy import watch as join

        return join(options, rollout, service)

    @command(app, section=SECTION)
    @positional
    @file_option
    @force_option
    @click.option("--exit-code", is_flag=True, help="End with 1 if anything would change.")
    def diff(options: Options, path: Path | None, file: Path | None, *, force: bool, exit_code: bool) -> Exit:
        """Show what a deploy of a file would change.

        The cluster checks it as it would for a deploy, and nothing is changed.
        """
        from mill_cli.connection.client import Gateway
        from mill_cli.connection.failures import Refused
        from mill_cli.deploy import plan
        from mill_cli.output import differences, screen

        read = files.read(files.choose(path, file))
        with Gateway(options) as gateway:
            try:
                planned = plan(gateway, read, force=force)
            except Refused as error:
                raise _with_places(error, read) from error
        screen.out_json(planned) if options.as_json else screen.out(differences.show(planned))
        return Exit.FAILED if exit_code and planned["changed"] else Exit.GOOD

    @command(app, section=SECTION)
    def history(options: Options) -> None:
        """Show the last rollouts, newest first, and how each ended."""
        from mill_cli.connection.client import Gateway, path
        from mill_cli.listing import show_all
        from mill_cli.output.columns import ROLLOUTS
        from mill_cli.output.history import rollouts

        with Gateway(options) as gateway:
            detail = gateway.get(path("deployments", options.deployment), **options.where)
        show_all(options, rollouts(detail), ROLLOUTS)


def _with_places(error: Any, file: files.File) -> Exception:
    """Return a refusal; that of a file with the lines that it is about, as far as this `mill` sees what is wrong."""
    if error.status != 400 or "diagnostics" not in error.body:
        return error  # type: ignore[no-any-return]
    from mill_language import InvalidConfig

    try:
        file.spec()
    except InvalidConfig as invalid:
        return files.refusal(invalid, file)
    return error  # type: ignore[no-any-return]
