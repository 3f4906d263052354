"""`explain`."""

import click

from mill_cli import completion
from mill_cli.command import command
from mill_cli.errors import Exit
from mill_cli.options import Options


@command()
@click.argument(
    "code",
    required=False,
    help="A failure code, such as TagNotFound. [default: all of them]",
    shell_complete=completion.codes,
)
def explain(options: Options, code: str | None) -> Exit:
    """Explain a failure code and what to do about it.

    Of a reason of Kubernetes, such as CrashLoopBackOff, it names the codes for which Kubernetes reports it.
    """
    from mill_cli.explain import explain as run

    return run(code, as_json=options.as_json)
