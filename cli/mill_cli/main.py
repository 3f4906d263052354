"""The commands and their options. What a command does is in a module of its own, imported when it is called."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from mill_cli.errors import CliError, Exit

app = typer.Typer(
    name="mill",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Deploy short .mill files on Kubernetes.",
)

Address = Annotated[str, typer.Option(envvar="MILL_ADDRESS", help="Where the gateway listens.", show_envvar=True)]
Token = Annotated[
    str | None,
    typer.Option(
        envvar="MILL_TOKEN",
        help="Token of the gateway; better given as MILL_TOKEN.",
        show_envvar=False,
        show_default=False,
    ),
]
Namespace = Annotated[
    str | None,
    typer.Option("--namespace", "-n", envvar="MILL_NAMESPACE", help="Namespace; the gateway's own if unset."),
]
Name = Annotated[str | None, typer.Option(envvar="MILL_NAME", help="Name of the MillDeployment; mill if unset.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object per line, for programs.")]

DEFAULT_ADDRESS = "http://127.0.0.1:4400"


def _version(value: bool) -> None:  # noqa: FBT001 - typer calls it so
    if value:
        from importlib.metadata import version

        typer.echo(f"mill {version('mill-kubernetes')}")
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Deploy short .mill files on Kubernetes."""


@app.command()
def deploy(
    path: Annotated[Path | None, typer.Argument(metavar="FILE", help="The .mill file; - is standard input.")] = None,
    *,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="The .mill file; - is standard input.")] = None,
    address: Address = DEFAULT_ADDRESS,
    token: Token = None,
    namespace: Namespace = None,
    name: Name = None,
    force: Annotated[
        bool, typer.Option("--force", help="Deploy although Argo CD or Flux manages it, until its next sync.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Deploy a .mill file and follow the rollout to its end.

    Services are independent: one that fails does not touch the others. Exit code 1 if any failed.
    """
    from mill_cli.deploy import deploy as run_deploy
    from mill_cli.gateway import Target

    if path is not None and file is not None:
        raise CliError(Exit.CANNOT_CONNECT, "give the file once: as an argument, or with --file")
    target = Target(address.rstrip("/"), token, namespace, name)
    raise typer.Exit(run_deploy(target, file or path or Path("./mill.conf"), force=force, as_json=as_json))


@app.command()
def validate(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A .mill file, or a MillDeployment in YAML.")],
    *,
    as_json: Json = False,
) -> None:
    """Check a file without a cluster, and show everything that is wrong with it."""
    from mill_cli import config

    raise typer.Exit(config.validate(path, as_json=as_json))


@app.command()
def render(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A .mill file, or a MillDeployment in YAML.")],
    *,
    output: Annotated[str, typer.Option("--output", "-o", metavar="yaml|json|mill", help="What to write.")] = "yaml",
    name: Name = None,
) -> None:
    """Print a file as a MillDeployment, for kubectl and Git, or as a .mill file again."""
    from mill_cli import config

    if output not in list(config.Format):
        raise CliError(Exit.CANNOT_CONNECT, f"--output {output}: must be yaml, json or mill")
    config.render(path, name or "mill", config.Format(output))


def run() -> None:
    """Run the command line and end the process with the right code."""
    try:
        app(standalone_mode=True)
    except CliError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.code)
