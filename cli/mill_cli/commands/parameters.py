"""Arguments and options that several commands have."""

from pathlib import Path
from typing import Final

import click

from mill_cli import completion
from mill_cli.commands.durations import Duration

FILE: Final = click.Path(path_type=Path, allow_dash=True)

file_argument = click.argument(
    "path",
    metavar="[FILE]",
    type=FILE,
    required=False,
    help="A .mill file, or a MillDeployment in YAML; - is standard input. [default: ./mill.conf]",
)
file_option = click.option(
    "--file", "-f", metavar="FILE", type=FILE, help="Path to the file, as an alternative to the argument."
)
force_option = click.option(
    "--force",
    is_flag=True,
    help="Deploy even if Argo CD or Flux manages the resource. Its next sync will revert the change.",
)
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
