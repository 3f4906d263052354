"""Messages for wrong usage: what is wrong, the usage line, and where the help is."""

import difflib

import click
from click.exceptions import NoArgsIsHelpError

from mill_cli.command import Command, LazyGroup


def usage_message(error: click.ClickException) -> str:
    """Return the text for stderr."""
    if isinstance(error, NoArgsIsHelpError):
        return error.message
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    lines = [f"error: {_what(error)}", ""]
    if ctx is not None:
        lines += [ctx.get_usage(), ""]
    return "\n".join([*lines, f"For more information, try '{ctx.command_path if ctx else 'mill'} --help'."])


def _what(error: click.ClickException) -> str:
    match error:
        case click.UsageError(ctx=click.Context(command=Command(private=True))) if _is_unexpected(error):
            return "unexpected argument found"
        case click.NoSuchOption(option_name=name, possibilities=near):
            return f"unexpected argument '{name}' found" + (f": did you mean {near[0]}?" if near else "")
        case click.MissingParameter(param=click.Parameter() as param):
            return f"the following required argument was not provided: {_shown(param, error.ctx)}"
        case click.BadParameter(param=click.Parameter() as param):
            return f"invalid value for {_shown(param, error.ctx)}: {error.message.removesuffix('.')}"
        case click.UsageError(ctx=click.Context(command=LazyGroup() as group)) if error.message.startswith("No such"):
            return _no_command(error.message.split("'")[1], group)
    text = error.message.removesuffix(".")
    if _is_unexpected(error):
        return f"unexpected argument '{text[text.index('(') + 1 : -1]}' found"
    return text[:1].lower() + text[1:]


def _is_unexpected(error: click.ClickException) -> bool:
    return isinstance(error, click.NoSuchOption) or error.message.startswith("Got unexpected extra argument")


def _no_command(name: str, group: LazyGroup) -> str:
    near = difflib.get_close_matches(name, [each.name for each in group.visible_commands], 1)
    return f"unrecognized subcommand '{name}'" + (f": did you mean {near[0]}?" if near else "")


def _shown(param: click.Parameter, ctx: click.Context | None) -> str:
    assert ctx is not None  # noqa: S101 - click sets it with the parameter
    if isinstance(param, click.Argument):
        return f"<{param.make_metavar(ctx).strip('[]')}>"
    return f"{max(param.opts, key=len)} <{param.make_metavar(ctx)}>"
