"""Revisions, which are what was deployed: `diff`, `history`, `rollback`."""

from datetime import timedelta
from pathlib import Path

import click

from mill_cli import completion, files
from mill_cli.announcement import announce
from mill_cli.command import command
from mill_cli.commands.parameters import (
    consent_options,
    file_argument,
    file_option,
    force_option,
    inputs_options,
    system_option,
    timeout_option,
    wait_option,
    yes_option,
)
from mill_cli.consent import Consent
from mill_cli.errors import CliError, Exit
from mill_cli.inputs import FileInputs
from mill_cli.options import Options

REVISION = click.IntRange(min=1)


@command()
@file_argument
@file_option
@inputs_options
@click.option(
    "--rev",
    "revisions",
    metavar="REV",
    type=REVISION,
    multiple=True,
    help="Compare this revision with what is deployed, instead of a file. Given twice: the first with the second.",
    shell_complete=completion.revisions,
)
@force_option
@click.option("--exit-code", is_flag=True, help="Exit with 1 if there is any change.")
def diff(
    options: Options,
    path: Path | None,
    file: Path | None,
    *,
    inputs: FileInputs,
    revisions: tuple[int, ...],
    force: bool,
    exit_code: bool,
) -> Exit:
    """Show what a deploy of a file would change, or what has changed since a revision.

    The cluster checks the file as it would for a deploy, and changes nothing.

    \b
    Examples:
      mill diff production.mill
      mill diff --rev 3
      mill diff --rev 3 --rev 4
    """
    if not revisions:
        from mill_cli.diff import diff as run

        return run(options, files.read(files.choose(path, file), inputs), force=force, exit_code=exit_code)
    if path is not None or file is not None:
        raise CliError(Exit.USAGE, "a file and --rev exclude each other", "give one of them")
    if len(revisions) > 2:
        raise CliError(Exit.USAGE, "--rev is given more than twice", "two revisions are compared")
    from mill_cli.revisions import diff_revisions

    return diff_revisions(options, revisions, exit_code=exit_code)


@command()
@click.argument(
    "revision",
    metavar="[REV]",
    type=REVISION,
    required=False,
    help="A revision, whose file is printed.",
    shell_complete=completion.revisions,
)
@click.option("--rollouts", is_flag=True, help="List the last rollouts with their times and ids instead.")
def history(options: Options, revision: int | None, *, rollouts: bool) -> None:
    """List the last revisions of a deployment, newest first, or print the file of one.

    A revision is what was deployed: the last ten are kept, with who asked for it, what changed, and the result. A name
    is unverified if the deployment was changed after the gateway had written it. A restart makes no revision:
    --rollouts lists it, too.

    \b
    Examples:
      mill history
      mill history 3 > earlier.mill
      mill history --rollouts
    """
    if rollouts:
        if revision is not None:
            raise CliError(Exit.USAGE, "a revision and --rollouts exclude each other", "give one of them")
        from mill_cli.history import show_rollouts

        show_rollouts(options)
    elif revision is not None:
        from mill_cli.revisions import show_revision

        show_revision(options, revision)
    else:
        from mill_cli.history import show_history

        show_history(options)


@command()
@click.argument(
    "revision",
    metavar="[REV]",
    type=REVISION,
    required=False,
    help="A revision of `mill history`. [default: the last one that succeeded and differs from what is deployed]",
    shell_complete=completion.revisions,
)
@click.option(
    "--service",
    metavar="NAME",
    help="Take only this service back, and leave everything else as it is.",
    shell_complete=completion.services,
)
@consent_options(system_option, yes_option)
@wait_option
@timeout_option
def rollback(
    options: Options,
    revision: int | None,
    consent: Consent,
    *,
    service: str | None,
    wait: bool,
    timeout: timedelta | None,
) -> Exit:
    """Go back to an earlier revision and follow the rollout until it finishes.

    It shows what will change and what does not go back (data, secrets, tasks that have run), and asks. Without a
    terminal it needs --yes. The rollback is a rollout like any other, and a new revision: a rollback of it brings back
    what was there before. An image whose tag has moved since is deployed by the digest that ran then.

    Where Argo CD or Flux manages the deployment, it is refused: Git is what goes back. The exit codes are those of
    `mill deploy`.

    \b
    Examples:
      mill rollback
      mill rollback 3 --service web
      mill rollback --yes --wait=false
    """
    announce(options, f"rolling back {'/'.join([*filter(None, [options.namespace]), options.deployment])} at")
    from mill_cli.rollback import Rollback
    from mill_cli.rollback import rollback as run

    return run(options, Rollback(revision, service), consent, wait=wait, timeout=timeout)
