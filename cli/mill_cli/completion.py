"""Completion of names by a shell. The gateway is asked for the names that only the cluster has."""

import os
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

import click

from mill_cli.errors import CliError
from mill_cli.options import Options, pop_options

VARIABLE: Final = "_MILL_COMPLETE"
"""The variable by which a shell asks for completions."""
_WORD: Final = re.compile(r"[A-Za-z0-9_.:@/-]+")
"""Names that are offered: a shell would run the `$(…)` of a hostile one."""
Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def _completer(names: Callable[[click.Context], Iterable[str]]) -> Complete:
    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
        try:
            found = [each for each in names(ctx) if each.startswith(incomplete)]
        except (
            CliError,
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
        ):  # without a good answer there are no completions
            return []
        return [each for each in found if _WORD.fullmatch(each)]

    return complete


def _get(ctx: click.Context, *parts: str) -> Any:
    """Return the answer of the gateway. Raise `CliError`."""
    from mill_cli.connection.client import Gateway, path  # noqa: PLC0415 - completing options needs no client

    options = _options(ctx).with_environment(os.environ)
    with Gateway(options, warn=None) as gateway:
        return gateway.get(path(*(part.format(options.deployment) for part in parts)), **options.where)


def _options(ctx: click.Context) -> Options:
    """Return the options of a command and of the groups before it, whose callbacks do not run during completion."""
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
    from mill_cli.explain import codes  # noqa: PLC0415 - completing anything else needs no codes

    return list(codes())


services: Final = _deployed("services")
tasks: Final = _deployed("tasks")
programs: Final = _deployed("services", "tasks")
runs: Final = _listed("tasks", "id")
secrets: Final = _listed("secrets")
registries: Final = _listed("registries", "host")
volumes: Final = _listed("volumes")
nodes: Final = _listed("nodes", "id")
codes: Final = _completer(_codes)
revisions: Final = _completer(
    lambda ctx: [str(each["revision"]) for each in _get(ctx, "deployments", "{}", "revisions")]
)
