"""Errors of wrong usage: what is wrong, the usage line, and where the help is."""

from collections.abc import Sequence

import click
from click.exceptions import NoArgsIsHelpError

from mill_cli.command import Command, LazyGroup
from mill_cli.errors import CliError, Exit
from mill_cli.other_words import nearest_command, option_advice


class UsageError(CliError):
    """A command line that cannot be run, with the lines that show how it is used."""

    def __init__(self, message: str, *advice: str, path: str, usage: str | None) -> None:
        super().__init__(Exit.USAGE, message, *advice)
        self._path = path
        self._usage = usage

    def render(self) -> str:
        """Return the lines for stderr."""
        shown = [super().render(), ""]
        if self._usage is not None:
            shown += [self._usage, ""]
        return "\n".join([*shown, f"For more information, try '{self._path} --help'."])


class MissingCommand(CliError):
    """A group without a command, whose help is shown."""

    def __init__(self, shown: str) -> None:
        super().__init__(Exit.USAGE, "missing command")
        self._help = shown

    def render(self) -> str:
        """Return the help for stderr."""
        return self._help


def usage_error(error: click.ClickException) -> CliError:
    """Return the error for one of click."""
    if isinstance(error, NoArgsIsHelpError):
        return MissingCommand(error.message)
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    path, usage = ("mill", None) if ctx is None else (ctx.command_path, ctx.get_usage())
    return UsageError(*_what(error), path=path, usage=usage)


def _what(error: click.ClickException) -> list[str]:
    """Return the message, and the hint if there is one."""
    match error:
        case click.UsageError(ctx=click.Context(command=Command(private=True))) if _is_unexpected(error):
            return ["unexpected argument found"]
        case click.NoSuchOption(option_name=name, possibilities=near):
            return _no_option(name, near or ())
        case click.MissingParameter(param=click.Parameter() as param):
            return [f"the following required argument was not provided: {_shown(param, error.ctx)}"]
        case click.BadParameter(param=click.Parameter() as param):
            return [f"invalid value for {_shown(param, error.ctx)}: {error.message.removesuffix('.')}"]
        case click.UsageError(ctx=click.Context(command=LazyGroup() as group)) if error.message.startswith("No such"):
            return _no_command(error.message.split("'")[1], group)
    text = error.message.removesuffix(".")
    if _is_unexpected(error):
        return [f"unexpected argument '{text[text.index('(') + 1 : -1]}' found"]
    return [text[:1].lower() + text[1:]]


def _is_unexpected(error: click.ClickException) -> bool:
    return isinstance(error, click.NoSuchOption) or error.message.startswith("Got unexpected extra argument")


def _no_option(name: str, near: Sequence[str]) -> list[str]:
    message = f"unexpected argument '{name}' found"
    if (advice := option_advice(name)) is not None:
        return [message, advice]
    return [f"{message}: did you mean {near[0]}?" if near else message]


def _no_command(name: str, group: LazyGroup) -> list[str]:
    near, advice = nearest_command(name, group.name or "", [each.name for each in group.visible_commands])
    message = f"unrecognized subcommand '{name}'" + (f": did you mean {near}?" if near else "")
    return [message, advice] if advice is not None else [message]


def _shown(param: click.Parameter, ctx: click.Context | None) -> str:
    assert ctx is not None  # noqa: S101 - click sets it with the parameter
    if isinstance(param, click.Argument):
        return f"<{param.make_metavar(ctx).strip('[]')}>"
    return f"{max(param.opts, key=len)} <{param.make_metavar(ctx)}>"
