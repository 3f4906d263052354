"""How commands are declared: a function that takes the `Options` first, then its own parameters by name."""

import functools
import os
from collections.abc import Callable
from typing import Any

import click

from mill_cli.errors import CliError, Exit
from mill_cli.options import SharedOption, pop_options, shared

Body = Callable[..., Exit | None]


class _Sections(click.Command):
    """Help with the options of all commands after a command's own, and errors that know their command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse. Raise `click.UsageError`."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # the parser leaves it out where an option has no argument
            raise

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections."""
        options = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        own = [each for each in options if not isinstance(each, SharedOption)]
        others = [each for each in options if isinstance(each, SharedOption)]
        for title, shown in (("Options", own), ("Options of all commands", others)):
            records = [record for each in shown if (record := each.get_help_record(ctx)) is not None]
            with formatter.section(title):
                formatter.write_dl(records)


class Command(_Sections):
    """A command. `section` is where the list of commands has it; what is given to a `private` one no error repeats."""

    def __init__(self, *args: Any, section: str = "", private: bool = False, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.section = section
        self.private = private


class Group(_Sections, click.Group):
    """Commands by sections, in the order in which they were added."""

    command_class = Command

    def __init__(self, *args: Any, section: str = "", **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.section = section

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click gives it
        """Return the names in the order of the help."""
        return list(self.commands)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, then the options."""
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, each in self.commands.items():
            if not each.hidden:
                records = sections.setdefault(getattr(each, "section", "") or "Commands", [])
                records.append((name, each.get_short_help_str(limit=200)))
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


def command(
    group: click.Group, name: str | None = None, *, section: str = "", without: str = "", **settings: Any
) -> Callable[[Body], Body]:
    """Add a command, with the options of all commands but for the short form in `without`."""

    def add(body: Body) -> Body:
        @functools.wraps(body)
        def call(**given: Any) -> int:
            before: Any = click.get_current_context().obj
            options = pop_options(given).merged_over(before).with_environment(os.environ)
            try:
                return int(body(options, **given) or 0)
            except BrokenPipeError:  # click would say 1
                return Exit.FILE
            except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
                if options.verbose:  # with all that somebody needs who mends it
                    raise
                raise _not_understood(error) from error

        made = group.command(name, section=section, **settings)(call)
        made.params += shared(without)
        return body

    return add


def _not_understood(error: Exception) -> CliError:
    """Return what is said of an answer that is JSON, and something else than what was asked for."""
    return CliError(
        Exit.FAILED,
        f"not the answer of a gateway: {type(error).__name__}: {error}",
        "is the address that of a mill gateway? if it is, this is a fault of mill: --verbose tells where",
    )


def group(of: click.Group, name: str, about: str, section: str) -> Group:
    """Add a group of commands."""
    made = Group(name, section=section, help=about, callback=keep, params=list(shared()), no_args_is_help=True)
    of.add_command(made)
    return made


def keep(**given: Any) -> None:
    """Keep the options that were given before a command's name."""
    ctx = click.get_current_context()
    ctx.obj = pop_options(given).merged_over(ctx.obj)
