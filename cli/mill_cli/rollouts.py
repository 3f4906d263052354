"""Requests that lead to a rollout, and the rollout shown until it finishes: deploy, restart, watch."""

from datetime import timedelta
from typing import Final

from mill_cli.connection.client import Gateway, path
from mill_cli.connection.failures import Refused
from mill_cli.connection.streams import Request, RolloutStream
from mill_cli.consent import Consent
from mill_cli.deploy_request import deploy_request, with_places
from mill_cli.empty_files import refuse_empty
from mill_cli.errors import CliError, Exit
from mill_cli.files import File
from mill_cli.follow import FollowedRollout, follow, open_stream, send
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.lines import DEPLOY, RESTART
from mill_cli.output.text import one_line
from mill_cli.plans import is_outdated, planned_request
from mill_cli.reach.report import report_reach

PLANS: Final = 5
"""Number of plans that are made while others change what is deployed."""


def deploy(options: Options, file: File, consent: Consent, *, wait: bool, timeout: timedelta | None) -> Exit:
    """Show what a deploy will do, deploy the file, and follow its rollout, unless not to `wait`. Raise `CliError`."""
    if not consent.allow_empty:
        refuse_empty(file)
    request = deploy_request(options, file, consent)
    with Gateway(options) as gateway:
        for attempt in range(PLANS):
            try:
                planned = planned_request(gateway, request, file, consent)
                if not wait:
                    return send(RolloutStream(gateway, planned), options)
                stream = open_stream(gateway, planned)
                result = follow(FollowedRollout(gateway, stream, file.services, DEPLOY, timeout))
            except Refused as error:
                if not is_outdated(error) or attempt == PLANS - 1:
                    raise with_places(error, file) from error
                if not options.quiet:
                    screen.note("what is deployed has changed meanwhile; the plan is another one now:")
            else:
                report_reach(gateway, stream, file)
                return result
    raise AssertionError  # the last attempt returns or raises


def restart(options: Options, service: str, *, timeout: timedelta | None) -> Exit:
    """Restart a service and follow its rollout. Raise `CliError`."""
    request = Request("POST", path("restart", service), options.query)
    with Gateway(options) as gateway:
        stream = open_stream(gateway, request, service)
        result = follow(FollowedRollout(gateway, stream, lambda: [service], RESTART, timeout))
    namespace, name = stream.deployment
    if options.name is None and name != options.deployment and not (options.quiet or options.as_json):
        # A service is found by its name, which one deployment of the namespace has. Other commands need that one.
        which, listed = one_line(f"{namespace}/{name}"), f"`mill history --rollouts{stream.where}` lists its rollouts"
        screen.note(f"{one_line(service)} is a service of the deployment {which}: {listed}")
    return result


def watch(options: Options, rollout: str | None, service: str | None, *, timeout: timedelta | None) -> Exit:
    """Follow a rollout that is there already: the current one if none is given. Raise `CliError`.

    One of which a service has failed since it finished has not succeeded.
    """
    given = {"rollout": rollout, "service": service, **options.where}
    events = path("deployments", options.deployment, "events")
    request = Request("GET", events, {key: value for key, value in given.items() if value})
    with Gateway(options) as gateway:
        stream = open_stream(gateway, request, service)
        services = (lambda: [service]) if service else (lambda: _deployed_services(gateway))
        result = follow(FollowedRollout(gateway, stream, services, DEPLOY, timeout))
        if result not in (Exit.SUCCESS, Exit.FAILED):
            return result

        from mill_cli.regressions import report_regressions  # noqa: PLC0415 - pydantic takes a while

        return Exit.FAILED if report_regressions(gateway, stream, service) else result


def _deployed_services(gateway: Gateway) -> list[str]:
    """Return the names of the deployed services, in order; none if the gateway does not give them."""
    try:
        detail = gateway.get(path("deployments", gateway.options.deployment), **gateway.options.where)
        return [str(each["name"]) for each in detail["spec"].get("services") or ()]
    except (CliError, KeyError, TypeError):
        return []
