"""Declaration of commands: a function that takes the `Options` first, then its own parameters by name."""

import functools
import importlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click
from click.shell_completion import CompletionItem

from mill_cli.errors import CliError, Exit
from mill_cli.options import SharedOption, pop_options, shared

Body = Callable[..., int | None]
Adapt = Callable[[click.Context], None]


class _Sections(click.Command):
    """Help with the global options after a command's own, and errors that know their command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments. Raise `click.UsageError`."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # the parser leaves it out where an option has no argument
            raise

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections of options."""
        options = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        own = [each for each in options if not isinstance(each, SharedOption)]
        others = [each for each in options if isinstance(each, SharedOption)]
        for title, shown in (("Options", own), ("Global options", others)):
            records = [record for each in shown if (record := each.get_help_record(ctx)) is not None]
            with formatter.section(title):
                formatter.write_dl(records)


class Command(_Sections):
    """A command. Errors never repeat the arguments of a `private` one; `adapt` changes parameters that were parsed."""

    def __init__(self, *args: Any, private: bool = False, adapt: Adapt | None = None, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.private = private
        self._adapt = adapt

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments, also for completion. Raise `click.UsageError`."""
        rest = super().parse_args(ctx, args)
        if self._adapt is not None:
            self._adapt(ctx)
        return rest


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """A command that is imported when it is called, and what the help of its group shows without importing it."""

    name: str
    target: str
    """`module:attribute`."""
    help: str = ""
    """The first sentence of the command's own help."""
    section: str = "Commands"
    hidden: bool = False

    def load(self) -> click.Command:
        """Import the command."""
        module, _, attribute = self.target.partition(":")
        loaded: click.Command = getattr(importlib.import_module(module), attribute)
        return loaded


class LazyGroup(_Sections, click.Group):
    """A group that imports none of its commands for its help, nor to complete their names."""

    def __init__(self, name: str, *, lazy_commands: Sequence[LazyCommand], **settings: Any) -> None:
        super().__init__(name, no_args_is_help=True, callback=_keep_options, **settings)
        self.lazy_commands = {each.name: each for each in lazy_commands}

    @property
    def visible_commands(self) -> list[LazyCommand]:
        """The commands that the help lists, in its order."""
        return [each for each in self.lazy_commands.values() if not each.hidden]

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click gives it
        """Return the names in the order of the help."""
        return list(self.lazy_commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click gives it
        """Import a command; None if there is none of this name."""
        found = self.lazy_commands.get(cmd_name)
        return None if found is None else found.load()

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the names and the options that begin with a text."""
        matching = [each for each in self.visible_commands if each.name.startswith(incomplete)]
        return [
            *(CompletionItem(each.name, help=each.help) for each in matching),
            *click.Command.shell_complete(self, ctx, incomplete),
        ]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, then the options."""
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands, by sections."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for each in self.visible_commands:
            sections.setdefault(each.section, []).append((each.name, each.help))
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


def command(name: str | None = None, *, without: str = "", **settings: Any) -> Callable[[Body], Command]:
    """Make a command of a function, with the global options except for the short form in `without`.

    The settings are those of `Command`.
    """

    def declare(body: Body) -> Command:
        @functools.wraps(body)
        def call(**given: Any) -> int:
            before: Any = click.get_current_context().obj
            options = pop_options(given).merged_over(before).with_environment(os.environ)
            try:
                return int(body(options, **given) or 0)
            except BrokenPipeError:  # click would end with 1
                return Exit.FILE
            except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
                if options.verbose:  # with the traceback, for those who fix it
                    raise
                raise _unexpected_answer(error) from error

        made = click.command(name or body.__name__, cls=Command, **settings)(call)
        made.params += shared(without)
        return made

    return declare


def _unexpected_answer(error: Exception) -> CliError:
    """Return the error for an answer that is JSON of an unexpected shape."""
    return CliError(
        Exit.FAILED,
        f"unexpected answer of the gateway: {type(error).__name__}: {error}",
        "check that the address is that of a mill gateway; if it is, this is an internal error of mill: run the "
        "command again with --verbose to see where",
        kind="unexpected_answer",
    )


def group(name: str, help: str, lazy_commands: Sequence[LazyCommand]) -> LazyGroup:  # noqa: A002 - as click calls it
    """Make a group of commands below `mill`."""
    return LazyGroup(name, help=help, params=list(shared()), lazy_commands=lazy_commands)


def _keep_options(**given: Any) -> None:
    """Keep the options that were given before a command's name."""
    ctx = click.get_current_context()
    ctx.obj = pop_options(given).merged_over(ctx.obj)
