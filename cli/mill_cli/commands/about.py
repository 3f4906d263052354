"""About mill itself: `explain`, `completion`, `version`; and commands of the original that have no meaning here."""

from typing import Final

import click

from mill_cli import completion as completers
from mill_cli.command import Group, command
from mill_cli.errors import CliError, Exit
from mill_cli.options import Options

SECTION: Final = "Help"
SHELLS: Final = ("bash", "zsh", "fish")

INSTEAD: Final = {
    "init": (
        "there is no cluster to initialise: mill runs in Kubernetes, which is one",
        "docs/install.md says how to put mill into one",
        "`mill status --context NAME` looks whether it is in one",
    ),
    "join": (
        "nodes join the Kubernetes cluster, and mill uses them: `kubeadm join`, or what your provider has for it",
        "`mill nodes` lists those that there are",
    ),
    "leave": (
        "nodes leave the Kubernetes cluster",
        "`mill drain NODE` moves everything away from one, `mill remove NODE` takes it out",
    ),
}
"""What the original's commands for its own daemons are answered, and what to do instead."""


def add(app: Group) -> None:
    """Add these commands."""

    @command(app, section=SECTION)
    @click.argument(
        "code",
        required=False,
        help="A failure's code, such as TagNotFound. [default: all of them]",
        shell_complete=completers.codes,
    )
    def explain(options: Options, code: str | None) -> Exit:
        """Say what a failure's code means, and what to do."""
        from mill_cli.explain import explain as show

        return show(code, as_json=options.as_json)

    @command(app, section=SECTION)
    @click.argument("shell", metavar="SHELL", type=click.Choice(SHELLS), help="bash, zsh or fish.")
    def completion(options: Options, shell: str) -> None:  # noqa: ARG001 - as all commands
        """Print what a shell needs to complete commands, options and names.

        \b
        Bash, in ~/.bashrc:             source <(mill completion bash)
        Zsh, in ~/.zshrc, after compinit: source <(mill completion zsh)
        Fish:  mill completion fish > ~/.config/fish/completions/mill.fish
        """
        from click.shell_completion import get_completion_class

        from mill_cli.output import screen

        made = get_completion_class(shell)
        assert made is not None  # noqa: S101 - it is one of those that there are
        screen.out(made(app, {}, "mill", completers.VARIABLE).source())

    @command(app, section=SECTION)
    def version(options: Options) -> None:
        """Show the version."""
        from mill_cli.output import screen
        from mill_cli.version import number, text

        screen.out_json({"version": number()}) if options.as_json else screen.out(text())

    for name in INSTEAD:
        _without_meaning(app, name)


def _without_meaning(app: Group, name: str) -> None:
    anything = {"ignore_unknown_options": True, "allow_extra_args": True}

    @app.command(name, hidden=True, context_settings=anything, add_help_option=False)
    def refuse() -> None:
        message, *advice = INSTEAD[name]
        raise CliError(Exit.USAGE, message, *advice)
