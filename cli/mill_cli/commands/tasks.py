"""Tasks: `spawn`, `ps`, `kill`."""

from typing import Any, Final

import click

from mill_cli import completion
from mill_cli.command import command
from mill_cli.errors import CliError, Exit
from mill_cli.options import Options

SECTION: Final = "Tasks"


def add(app: click.Group) -> None:
    """Add these commands."""

    @command(app, section=SECTION)
    @click.argument("task", required=False, help="A task of the deployed file.", shell_complete=completion.tasks)
    @click.option("--image", metavar="IMAGE", help="Run this image instead of a task.")
    @click.option("--cpu", metavar="CPU", type=float, help="Cores, with --image. [default: 0.25]")
    @click.option("--memory", metavar="SIZE", help="Memory, with --image. [default: 256M]")
    @click.option("--timeout", metavar="DURATION", help="Ends the run after this time, such as 30m.")
    @click.option("--env", metavar="KEY=VALUE", multiple=True, help="Environment. May be given repeatedly.")
    def spawn(
        options: Options,
        task: str | None,
        *,
        image: str | None,
        cpu: float | None,
        memory: str | None,
        timeout: str | None,
        env: tuple[str, ...],
    ) -> None:
        """Run a task, or an image, to its end.

        It answers when the program has started. `mill logs ID --follow` shows what it writes, `mill ps` how it ended.
        """
        from mill_cli.connection.client import Gateway
        from mill_cli.output import screen
        from mill_cli.output.text import one_line

        if task is None and image is None:
            raise CliError(Exit.USAGE, "either a task template name or --image is required")
        body: dict[str, Any] = {"task": task, "image": image, "cpu": cpu, "memory": memory, "timeout": timeout}
        body["env"] = dict(map(_variable, env))
        with Gateway(options) as gateway:
            run = gateway.request("POST", "/v1/tasks/spawn", query=options.query, json=body)
        if options.as_json:
            screen.out_json(run)
            return
        screen.out(f"  id:      {one_line(str(run['id']))}")
        if run.get("address") is not None:
            screen.out(f"  address: {one_line(str(run['address']))}")
        screen.out(f"  status:  {one_line(str(run['status']))}")

    @command(app, section=SECTION)
    def ps(options: Options) -> None:
        """List the runs of tasks, those of the last day that have ended included."""
        from mill_cli.listing import show
        from mill_cli.output.columns import TASKS

        show(options, "/v1/tasks", options.query, TASKS, "no running tasks")

    @command(app, section=SECTION)
    @click.argument("task_id", help="The run, as in `mill ps`.", shell_complete=completion.runs)
    def kill(options: Options, task_id: str) -> None:
        """End a run."""
        from mill_cli.connection.client import path
        from mill_cli.deletion import delete

        delete(options, path("tasks", task_id), options.where, f"task {task_id} killed", always=True)


def _variable(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise CliError(Exit.USAGE, f"invalid env format: {text} (expected KEY=VALUE)")
    return key, value
