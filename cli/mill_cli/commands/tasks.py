"""Tasks: `spawn`, `run`, `ps`, `kill`."""

from pathlib import Path
from typing import Any

import click

from mill_cli import completion, files
from mill_cli.command import command
from mill_cli.commands.parameters import FILE, inputs_options, system_option
from mill_cli.errors import CliError, Exit
from mill_cli.inputs import FileInputs
from mill_cli.options import Options


@command()
@click.argument(
    "task", required=False, help="A task of the deployed file, or of --file.", shell_complete=completion.tasks
)
@click.option(
    "--file",
    "-f",
    "path",
    metavar="FILE",
    type=FILE,
    help="Run the task of this file, which need not be deployed. Nothing else of the file is applied.",
)
@inputs_options
@click.option("--image", metavar="IMAGE", help="Run this image instead of a task.")
@click.option("--cpu", metavar="CPU", type=float, help="CPU cores, with --image. [default: 0.25]")
@click.option("--memory", metavar="SIZE", help="Memory, with --image. [default: 256M]")
@click.option("--timeout", metavar="DURATION", help="Stop the run after this time, such as 30m.")
@click.option("--env", metavar="KEY=VALUE", multiple=True, help="Environment variable. May be given repeatedly.")
@system_option
@click.option("--wait", "-w", is_flag=True, help="Print the log until the run ends, and exit with its exit code.")
def spawn(
    options: Options,
    *,
    task: str | None,
    path: Path | None,
    image: str | None,
    env: tuple[str, ...],
    wait: bool,
    system: bool,
    inputs: FileInputs,
    **limits: Any,
) -> Exit:
    """Run a task or an image.

    The command returns when the program has started. `mill logs ID --follow` shows its output, `mill ps` its result.

    With --wait the command prints the log of the run to standard output and exits with the exit code of its program,
    or with 1 if it never started, was stopped, or took longer than --timeout. Ctrl-C leaves the run as it is: the
    command says how to wait for it again (`mill logs ID --wait`) and how to stop it, and exits with 3.

    \b
    Examples:
      mill spawn migrate
      mill spawn migrate -f new.mill --wait && mill deploy new.mill
      mill spawn --image registry.example/tools:3 --env LEVEL=debug --wait
    """
    from mill_cli.spawn import spawn as run

    if path is not None and image is not None:
        raise CliError(Exit.USAGE, "--file and --image exclude each other", "give one of them")
    if task is None and image is None and path is None:
        raise CliError(Exit.USAGE, "either a task template name or --image is required")
    if path is None and inputs:
        raise CliError(Exit.USAGE, "--var and --vars are for the variables of a file", "give it with --file")
    file = None if path is None else files.read(path, inputs)
    body = {"task": task, "image": image, **limits, "env": dict(map(_variable, env))}
    return run(options, body, file=file, wait=wait, system=system)


@command()
@click.argument("service", metavar="SERVICE", help="Name of a service.", shell_complete=completion.services)
@click.argument(
    "words", metavar="-- COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED, help="Program and arguments."
)
@click.option("--timeout", metavar="DURATION", help="Stop the run after this time, such as 30m.")
@click.option("--env", metavar="KEY=VALUE", multiple=True, help="Environment variable. May be given repeatedly.")
@click.option("--detach", is_flag=True, help="Return when the program has started, and print the id of the run.")
def run(
    options: Options, *, service: str, words: tuple[str, ...], timeout: str | None, env: tuple[str, ...], detach: bool
) -> Exit:
    """Run a program with the image, environment, files and volumes of a service.

    The program runs in a pod of its own, with the service's limits, user and place: it replaces the image's entry point
    and the service's command, gets no requests, and has no standard input. `mill exec` is for a terminal in a pod of
    the service. With a persistent volume it runs on the node of the service's pod.

    The command prints the log of the run to standard output and exits with the exit code of its program, or with 1 if
    it never started, was stopped, or took longer than --timeout. Ctrl-C leaves the run as it is: the command says how
    to wait for it again (`mill logs ID --wait`) and how to stop it, and exits with 3.

    \b
    Examples:
      mill run web -- bin/rails db:seed
      mill run web --env DRY=1 --timeout 10m -- sh -c 'ls /data | wc -l'
    """
    from mill_cli.spawn import spawn as start

    body = {"service": service, "command": list(words), "timeout": timeout, "env": dict(map(_variable, env))}
    return start(options, body, file=None, wait=not detach, system=False)


@command()
@click.option("--all", "everything", is_flag=True, help="Show all runs that have ended, instead of the newest 20.")
def ps(options: Options, *, everything: bool) -> None:
    """List task runs, including those that finished in the last 24 hours.

    Runs in progress come first, then the newest. A run that could not start is `failed`, as one whose program failed:
    EXIT has the exit code of the program, REASON the failure code, which `mill explain` explains. Tasks on a schedule
    follow, with the time of their next run.
    """
    from mill_cli.run_list import list_runs

    list_runs(options, everything=everything)


@command()
@click.argument("task_id", help="The run, as in `mill ps`.", shell_complete=completion.runs)
def kill(options: Options, task_id: str) -> None:
    """Stop a run.

    A run that has ended already stays as it is, and the command says how it ended.
    """
    from mill_cli.run_stop import stop_run

    stop_run(options, task_id)


def _variable(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise CliError(Exit.USAGE, f"invalid env format: {text} (expected KEY=VALUE)")
    return key, value
