"""`completion`."""

from typing import Final

import click
from click.shell_completion import get_completion_class

from mill_cli.command import command
from mill_cli.completion import VARIABLE
from mill_cli.options import Options
from mill_cli.output import screen

SHELLS: Final = ("bash", "zsh", "fish")


@command()
@click.argument("shell", metavar="SHELL", type=click.Choice(SHELLS), help="bash, zsh or fish.")
def completion(options: Options, shell: str) -> None:  # noqa: ARG001 - all commands take the options
    """Print the completion script of a shell.

    It completes commands, options and names.

    \b
    Bash, in ~/.bashrc:             source <(mill completion bash)
    Zsh, in ~/.zshrc, after compinit: source <(mill completion zsh)
    Fish:  mill completion fish > ~/.config/fish/completions/mill.fish
    """
    script = get_completion_class(shell)
    assert script is not None  # noqa: S101 - click has a class for each of the choices
    screen.out(script(click.get_current_context().find_root().command, {}, "mill", VARIABLE).source())
