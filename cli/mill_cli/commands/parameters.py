"""Arguments and options that several commands have."""

import functools
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import click

from mill_cli import completion
from mill_cli.command import Body
from mill_cli.commands.durations import Duration
from mill_cli.consent import Consent
from mill_cli.inputs import FileInputs

FILE: Final = click.Path(path_type=Path, allow_dash=True)

file_argument = click.argument(
    "path",
    metavar="[FILE]",
    type=FILE,
    required=False,
    help="A .mill file, or a MillDeployment in YAML; - is standard input. [default: ./mill.conf, or else the one .mill "
    "file beside it]",
)
file_option = click.option(
    "--file", "-f", metavar="FILE", type=FILE, help="Path to the file, as an alternative to the argument."
)
force_option = click.option(
    "--force",
    is_flag=True,
    help="Change the resource even if Argo CD, Flux or Helm manages it. Its next sync or upgrade reverts that.",
)
allow_empty_option = click.option(
    "--allow-empty", is_flag=True, help="Accept a file without any service or task, which removes everything."
)
replace_all_option = click.option(
    "--replace-all", is_flag=True, help="Deploy a file that has none of the services that are deployed."
)
system_option = click.option("--system", is_flag=True, help="Allow the namespaces kube-* and that of mill itself.")
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def consent_options(*options: Callable[[Body], Body]) -> Callable[[Body], Body]:
    """Declare options of which a command gets a `Consent`."""

    def declare(body: Body) -> Body:
        @functools.wraps(body)
        def call(*args: Any, **given: Any) -> int | None:
            names = {each.name for each in fields(Consent)} & given.keys()
            return body(*args, consent=Consent(**{name: given.pop(name) for name in names}), **given)

        declared: Body = call
        for option in reversed(options):
            declared = option(declared)
        return declared

    return declare


def inputs_options(body: Body) -> Body:
    """Declare the options that give values to a file; the command gets a `FileInputs`."""

    @functools.wraps(body)
    def call(*args: Any, var: tuple[str, ...], vars_files: tuple[Path, ...], **given: Any) -> int | None:
        return body(*args, inputs=FileInputs(var, vars_files), **given)

    declared: Body = call
    declared = click.option(
        *("--vars", "vars_files"),
        metavar="FILE",
        type=click.Path(path_type=Path),
        multiple=True,
        help="File with NAME=VALUE lines for the file's variables. May be given repeatedly: later ones win.",
    )(declared)
    return click.option(
        "--var",
        metavar="NAME=VALUE",
        multiple=True,
        help="Value of a variable that the file declares. It wins over --vars, and that over MILL_VAR_NAME. May be "
        "given repeatedly. Whoever may read the MillDeployment can read the value: use ${secret(NAME)} for secrets.",
    )(declared)


service_argument = click.argument(
    "service", metavar="SERVICE", help="Name of the service.", shell_complete=completion.services
)
node_argument = click.argument("node", help="Name of the node, as in `mill nodes`.", shell_complete=completion.nodes)
timeout_option = click.option(
    "--timeout",
    metavar="DURATION",
    type=Duration(),
    help="Stop waiting after this time, such as 5m, and exit with 3. The rollout continues. [default: no limit]",
)
wait_option = click.option(
    "--wait",
    type=bool,
    default=True,
    metavar="true|false",
    help="With false, do not wait: exit with 0 as soon as the deploy is accepted, whatever becomes of it. "
    "[default: true]",
)
