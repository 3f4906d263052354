"""Rollouts: `deploy`, `delete`, `restart`, `watch`, `pause`, `resume`."""

from datetime import timedelta
from pathlib import Path

import click

from mill_cli import completion, files
from mill_cli.announcement import announce
from mill_cli.command import command
from mill_cli.commands.parameters import (
    allow_empty_option,
    consent_options,
    file_argument,
    file_option,
    force_option,
    inputs_options,
    replace_all_option,
    service_argument,
    system_option,
    timeout_option,
    wait_option,
    yes_option,
)
from mill_cli.consent import Consent
from mill_cli.errors import Exit
from mill_cli.inputs import FileInputs
from mill_cli.options import Options
from mill_cli.output import screen


@command()
@file_argument
@file_option
@inputs_options
@consent_options(force_option, allow_empty_option, replace_all_option, system_option, yes_option)
@wait_option
@timeout_option
def deploy(
    options: Options,
    path: Path | None,
    file: Path | None,
    consent: Consent,
    *,
    inputs: FileInputs,
    wait: bool,
    timeout: timedelta | None,
) -> Exit:
    """Deploy a file and follow the rollout until it finishes.

    The file describes everything that is deployed: services that it no longer has are removed. Services are
    independent: one that fails does not affect the others, and a working version keeps running until a new one is
    healthy. A deploy succeeds when every service has stayed ready for its settling window, 10 seconds by default. The
    rollout continues if this command ends; `mill watch` follows it again.

    Before it changes anything, it prints to standard error what it will add, change and remove, with --json, too. On a
    terminal it asks before it removes services. It deploys what it has shown: if another deploy comes in between, it
    shows the changes again. Two files in one namespace need different names (--name).

    \b
    Exit codes:
      0  every service has settled
      1  a service failed, or the file was refused, or the answer was no
      2  no connection to the gateway, or wrong usage
      3  connection lost, or --timeout is over; the rollout continues
      4  cannot read the file

    \b
    Examples:
      mill deploy -f production.mill
      mill deploy production.mill --namespace shop --json
      mill deploy production.mill --timeout 5m
      mill deploy shop.mill --var tag=2.1 --vars staging.vars
      envsubst < production.mill | mill deploy -
    """
    is_named = options.quiet or screen.interactive_errors()  # by the announcement
    read = files.read(files.choose(path, file, notice=None if is_named else screen.note), inputs)
    announce(options, f"deploying {read.name} to")
    from mill_cli.rollouts import deploy as run

    return run(options, read, consent, wait=wait, timeout=timeout)


@command()
@consent_options(force_option, system_option, yes_option)
@timeout_option
def delete(options: Options, consent: Consent, *, timeout: timedelta | None) -> Exit:
    """Delete a deployment and wait until its pods are gone.

    This deletes the MillDeployment that --name and --namespace select, with its services, tasks and runs. Persistent
    volumes and their data stay, as do the secrets of the namespace: `mill volume delete` and `mill secret delete`
    delete them. On a terminal the command asks first. The deletion continues if the command ends.

    \b
    Examples:
      mill delete --namespace shop
      mill delete --name blog --yes
    """
    from mill_cli.deployment_deletion import delete as run

    return run(options, consent, timeout=timeout)


@command()
@service_argument
@timeout_option
def restart(options: Options, service: str, *, timeout: timedelta | None) -> Exit:
    """Restart a service and wait for the rollout to finish.

    New pods start with the same image and the current values of the secrets. Old pods stop when new ones are ready. The
    exit codes are those of `mill deploy`.
    """
    announce(options, f"restarting {service} at")
    from mill_cli.rollouts import restart as run

    return run(options, service, timeout=timeout)


@command()
@click.option("--rollout", metavar="ID", help="A rollout of `mill history --rollouts`. [default: the current one]")
@click.option("--service", metavar="NAME", help="Show only this service.", shell_complete=completion.services)
@timeout_option
def watch(options: Options, *, rollout: str | None, service: str | None, timeout: timedelta | None) -> Exit:
    """Follow a rollout until it finishes.

    The output begins with what has happened so far. If a service has failed since the rollout finished, the last line
    names it and the exit code is 1. The other exit codes are those of `mill deploy`.
    """
    announce(options, f"watching {'/'.join([*filter(None, [options.namespace]), options.deployment])} at")
    from mill_cli.rollouts import watch as run

    return run(options, rollout, service, timeout=timeout)


@command()
def pause(options: Options) -> None:
    """Pause a deployment: changes are kept, and nothing acts on them.

    Deploys are accepted and wait, and what is deleted is not made again. What runs goes on running, and Kubernetes
    finishes the updates that have begun. The pause is the annotation mill.dev/paused, so that no GitOps tool reverts
    it; `mill status` shows it.
    """
    from mill_cli.pausing import pause as run

    run(options)


@command()
def resume(options: Options) -> None:
    """Resume a deployment: what was changed during the pause is carried out."""
    from mill_cli.pausing import resume as run

    run(options)
