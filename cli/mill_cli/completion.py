"""How words are completed by a shell. Names that only the cluster knows are asked for."""

import os
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

import click

from mill_cli.errors import CliError
from mill_cli.options import Options, pop_options

VARIABLE: Final = "_MILL_COMPLETE"
"""Set by a shell that asks how a line goes on."""
_WORD: Final = re.compile(r"[A-Za-z0-9_.:@/-]+")
"""What goes into a command line as it is: a shell would do what others' `$(…)` says."""
Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def _completer(names: Callable[[click.Context], Iterable[str]]) -> Complete:
    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
        try:
            found = [each for each in names(ctx) if each.startswith(incomplete)]
        except (CliError, AttributeError, LookupError, TypeError, ValueError):  # no good answer completes nothing
            return []
        return [each for each in found if _WORD.fullmatch(each)]

    return complete


def _get(ctx: click.Context, *parts: str) -> Any:
    """Return what the gateway answers. Raise `CliError`."""
    from mill_cli.connection.client import Gateway, path

    options = _options(ctx).with_environment(os.environ)
    with Gateway(options, warn=None) as gateway:
        return gateway.get(path(*(part.format(options.deployment) for part in parts)), **options.where)


def _options(ctx: click.Context) -> Options:
    """Return what was given to a command and to the groups before it, which keep nothing while a line is completed."""
    given = pop_options(dict(ctx.params))
    return given if ctx.parent is None else given.merged_over(_options(ctx.parent))


def _listed(route: str, key: str = "name") -> Complete:
    return _completer(lambda ctx: [str(each[key]) for each in _get(ctx, route)])


def _deployed(*kinds: str) -> Complete:
    def names(ctx: click.Context) -> list[str]:
        spec = _get(ctx, "deployments", "{}")["spec"]
        return [str(each["name"]) for kind in kinds for each in spec.get(kind) or ()]

    return _completer(names)


def _codes(_ctx: click.Context) -> list[str]:
    from mill_cli.explain import codes

    return list(codes())


services: Final = _deployed("services")
tasks: Final = _deployed("tasks")
programs: Final = _deployed("services", "tasks")
runs: Final = _listed("tasks", "id")
secrets: Final = _listed("secrets")
volumes: Final = _listed("volumes")
nodes: Final = _listed("nodes", "id")
codes: Final = _completer(_codes)
