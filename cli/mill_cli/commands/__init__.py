"""The commands, a file for each subject. A new command goes where its subject is; a new subject into `SUBJECTS`.

What takes long to import is imported by the command that needs it, since `mill --help` must not wait for it.
"""

import click

from mill_cli.command import Group
from mill_cli.commands import about, config, nodes, rollouts, secrets, state, tasks, volumes

SUBJECTS = (rollouts, config, state, tasks, secrets, volumes, nodes, about)
"""In the order of the help."""


def add_all(app: Group) -> click.Group:
    """Add every command."""
    for each in SUBJECTS:
        each.add(app)
    return app
