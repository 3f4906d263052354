"""What is deployed, and what would be: a file on its way to the gateway."""

from dataclasses import replace
from typing import Any

from mill_cli.connection.client import Gateway, path
from mill_cli.connection.streams import Request, RolloutStream
from mill_cli.errors import CliError, Exit
from mill_cli.files import File, refusal
from mill_cli.follow import follow, wants_details
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.lines import DEPLOY


def deploy(gateway: Gateway, file: File, *, force: bool) -> Exit:
    """Deploy a file, show the rollout, and return how it went."""
    request = _request(gateway, file, force=force)
    asked = replace(request, query=request.query | wants_details(gateway.options))
    return follow(gateway, lambda notice: RolloutStream(gateway, asked, notice=notice), file.services, DEPLOY)


def plan(gateway: Gateway, file: File, *, force: bool) -> Any:
    """Return what a deploy would change, as `POST /v1/deploy?dryRun=true` says it."""
    request = _request(gateway, file, force=force)
    return gateway.request("POST", request.path, query=request.query | {"dryRun": "true"}, content=request.content)


def watch(options: Options, rollout: str | None, service: str | None) -> Exit:
    """Show a rollout that somebody began."""
    given = {"rollout": rollout, "service": service, **options.where, **wants_details(options)}
    events = path("deployments", options.deployment, "events")
    request = Request("GET", events, {key: value for key, value in given.items() if value})
    with Gateway(options) as gateway:
        return follow(
            gateway,
            lambda notice: RolloutStream(gateway, request, service=service, notice=notice),
            lambda: [service] if service else _services(gateway),
            DEPLOY,
        )


def _services(gateway: Gateway) -> list[str]:
    """Return the names of what is deployed, in order; none where that cannot be had."""
    try:
        detail = gateway.get(path("deployments", gateway.options.deployment), **gateway.options.where)
        return [str(each["name"]) for each in detail["spec"].get("services") or ()]
    except (CliError, KeyError, TypeError):
        return []


def _request(gateway: Gateway, file: File, *, force: bool) -> Request:
    query, text = dict(gateway.options.query), file.text
    if file.is_resource:
        text, named = _from_resource(file)
        query = named | query
    return Request("POST", "/v1/deploy", query | ({"force": "true"} if force else {}), text)


def _from_resource(file: File) -> tuple[bytes, dict[str, str]]:
    """Return a MillDeployment as a `.mill` file, which is what the gateway takes, and its name and namespace."""
    from mill_language import InvalidConfig

    try:
        resource = file.resource
        text = resource.as_mill()
    except InvalidConfig as error:
        raise refusal(error, file) from error
    if resource.lost:
        screen.note(
            f"note: of {file.name}'s metadata only name and namespace are used; `kubectl apply` takes all of it"
        )
    named = {"name": resource.name, "namespace": resource.namespace}
    return text.encode(), {key: value for key, value in named.items() if value}
