"""Tasks: `spawn`, `ps`, `kill`."""

from typing import Any

import click

from mill_cli import completion
from mill_cli.command import command
from mill_cli.errors import CliError, Exit
from mill_cli.options import Options


@command()
@click.argument("task", required=False, help="A task of the deployed file.", shell_complete=completion.tasks)
@click.option("--image", metavar="IMAGE", help="Run this image instead of a task.")
@click.option("--cpu", metavar="CPU", type=float, help="CPU cores, with --image. [default: 0.25]")
@click.option("--memory", metavar="SIZE", help="Memory, with --image. [default: 256M]")
@click.option("--timeout", metavar="DURATION", help="Stop the run after this time, such as 30m.")
@click.option("--env", metavar="KEY=VALUE", multiple=True, help="Environment variable. May be given repeatedly.")
def spawn(options: Options, *, task: str | None, image: str | None, env: tuple[str, ...], **limits: Any) -> None:
    """Run a task or an image.

    The command returns when the program has started. `mill logs ID --follow` shows its output, `mill ps` its result.
    """
    from mill_cli.spawn import spawn as run

    if task is None and image is None:
        raise CliError(Exit.USAGE, "either a task template name or --image is required")
    run(options, {"task": task, "image": image, **limits, "env": dict(map(_variable, env))})


@command()
def ps(options: Options) -> None:
    """List task runs, including those that finished in the last 24 hours."""
    from mill_cli.listing import show
    from mill_cli.output.columns import TASKS

    show(options, "/v1/tasks", options.query, TASKS, "no running tasks")


@command()
@click.argument("task_id", help="The run, as in `mill ps`.", shell_complete=completion.runs)
def kill(options: Options, task_id: str) -> None:
    """Stop a run."""
    from mill_cli.deletion import delete

    delete(options, ("tasks", task_id), options.where, f"task {task_id} killed", always=True)


def _variable(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise CliError(Exit.USAGE, f"invalid env format: {text} (expected KEY=VALUE)")
    return key, value
