"""The commands: a table of them for the help, and a module for each subject.

The modules declare commands and import little, so that help and completion stay fast. What a command does is imported
when it runs, from a module of `mill_cli` beside this package.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from mill_cli.command import LazyCommand


def _section(title: str, module: str, helps: Mapping[str, str], *, hidden: bool = False) -> Iterator[LazyCommand]:
    """Yield the commands of a module, by name and first sentence of the help."""
    for name, text in helps.items():
        yield LazyCommand(name, f"{__name__}.{module}:{name}", text, title, hidden)


COMMANDS: Final = (
    *_section(
        "Deploy",
        "rollouts",
        {
            "deploy": "Deploy a file and follow the rollout until it finishes.",
            "delete": "Delete a deployment and wait until its pods are gone.",
            "restart": "Restart a service and wait for the rollout to finish.",
            "watch": "Follow a rollout until it finishes.",
        },
    ),
    *_section(
        "Deploy",
        "revisions",
        {
            "diff": "Show what a deploy of a file would change, or what has changed since a revision.",
            "history": "List the last revisions of a deployment, newest first, or print the file of one.",
            "rollback": "Go back to an earlier revision and follow the rollout until it finishes.",
        },
    ),
    *_section(
        "Deploy",
        "rollouts",
        {
            "pause": "Pause a deployment: changes are kept, and nothing acts on them.",
            "resume": "Resume a deployment: what was changed during the pause is carried out.",
        },
    ),
    *_section(
        "Files",
        "files",
        {
            "validate": "Check a file without a cluster and show all problems.",
            "render": "Print a file as a MillDeployment, for kubectl and Git.",
            "fmt": "Put .mill files into the canonical layout.",
        },
    ),
    *_section(
        "Inspect",
        "inspection",
        {
            "status": "Show the status of services, tasks and nodes, followed by any problems.",
            "logs": "Print the logs of a service, a task or a run.",
        },
    ),
    *_section(
        "Reach",
        "reach",
        {
            "forward": "Forward a port of this machine to a service.",
            "open": "Open a service in the browser.",
            "exec": "Run a program in a pod of a service.",
        },
    ),
    *_section(
        "Tasks",
        "tasks",
        {
            "spawn": "Run a task or an image.",
            "run": "Run a program with the image, environment, files and volumes of a service.",
            "ps": "List task runs, including those that finished in the last 24 hours.",
            "kill": "Stop a run.",
        },
    ),
    *_section("Data", "secrets", {"secret": "Manage the values that ${secret(NAME)} refers to."}),
    *_section("Data", "registries", {"registry": "Manage credentials of private registries."}),
    *_section("Data", "volumes", {"volume": "Manage persistent volumes."}),
    *_section(
        "Nodes",
        "nodes",
        {
            "nodes": "List nodes and their allocated resources.",
            "drain": "Move all pods off a node and wait until it is empty.",
            "remove": "Remove an empty node from the cluster.",
        },
    ),
    *_section("Help", "explain", {"explain": "Explain a failure code and what to do about it."}),
    *_section("Help", "completion", {"completion": "Print the completion script of a shell."}),
    *_section("Help", "version", {"version": "Show the version."}),
    *_section("", "unsupported", dict.fromkeys(("init", "join", "leave"), ""), hidden=True),
)
"""In the order of the help."""
