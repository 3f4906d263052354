"""`--tail` of `mill logs`, and its `-n`: the namespace as everywhere, or a number of lines as in the original mill."""

import re
from typing import Final

import click

from mill_cli.options import PREFIX

_NUMBER: Final = re.compile(r"[-+]?\d+")
_COUNT: Final = click.IntRange(0)
_COUNT.name = "integer"
_SHORT: Final = "namespace_or_tail"

tail_option = click.option(
    "--tail", metavar="N", type=_COUNT, help="Show the last N lines of each replica. [default: 200]"
)
namespace_or_tail_option = click.option(
    *("-n", _SHORT),
    metavar="NAME|N",
    multiple=True,
    help="Namespace, as in every command; a number is --tail, as in the original mill. A namespace of digits needs "
    "--namespace.",
)


def sort_namespace_or_tail(ctx: click.Context) -> None:
    """Turn the values of `-n` into those of `--tail` and `--namespace`, which have priority.

    Raise `click.BadParameter` for a number that is none of lines.
    """
    for given in reversed(ctx.params.pop(_SHORT, None) or ()):  # as for any option, the last one counts
        if _NUMBER.fullmatch(given) is None:
            name, value = PREFIX + "namespace", given
        else:
            tail = next(each for each in ctx.command.params if each.name == "tail")
            name, value = "tail", _COUNT.convert(given, tail, ctx)
        if ctx.params.get(name) is None:
            ctx.params[name] = value
