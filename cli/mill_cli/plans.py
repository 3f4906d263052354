"""The plan of a deploy: what the gateway says that it will change, and a question before it removes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mill_cli.connection.client import Gateway
from mill_cli.connection.failures import Refused
from mill_cli.connection.streams import Request
from mill_cli.consent import Consent
from mill_cli.errors import CliError
from mill_cli.files import STDIN_NAME, File
from mill_cli.output import plans, screen
from mill_cli.output.plans import Plan, read_plan
from mill_cli.question import ask

OUTDATED: Final = "plan_outdated"
"""The code of the gateway's refusal of a deploy whose plan does not hold any more."""
FORBIDDEN: Final = 403
UNKNOWN: Final = frozenset({"path_not_found", "method_not_allowed", "invalid_parameters", None})
"""The codes with which a gateway refuses that makes no plans. If the deploy has the same fault, its refusal says so."""
CLIENT_ERRORS: Final = (400, 404, 405, 422, 501)


def planned_request(gateway: Gateway, request: Request, file: File, consent: Consent) -> Request:
    """Show the plan of a deploy, ask if it removes services, and return the request that deploys this plan.

    A gateway that makes no plan, or a caller who may not read what is deployed, gets the request as it is. Raise
    `CliError` for a refusal, or the answer no.
    """
    options = gateway.options
    try:
        plan = _read(gateway, request)
    except Refused as error:
        if is_forbidden(error):
            if not options.quiet:
                screen.note(plans.unreadable(_where(request), file.services()))
            return request
        raise
    if plan is None:
        return request
    if not options.quiet:
        colored = screen.colored_errors()
        screen.note("\n".join(plans.lines(plan, color=colored)), painted=colored)
    if plan.removed_services and not consent.yes:
        ask(plans.question(plan), is_stdin_taken=file.name == STDIN_NAME)
    return replace(request, query=request.query | {"base": plan.base}) if plan.base else request


def request_plan(gateway: Gateway, request: Request) -> Any:
    """Return the gateway's answer to the question what a deploy would change. Raise `CliError`."""
    try:
        return gateway.request(request.method, f"{request.path}/plan", query=request.query, content=request.content)
    except Refused as error:
        if not is_unknown(error):
            raise
    # Release 0.1.0 has a parameter instead, which the proxy of the API server refuses.
    query = request.query | {"dryRun": "true"}
    return gateway.request(request.method, request.path, query=query, content=request.content)


def is_forbidden(error: Refused) -> bool:
    """Whether the caller may not read what is deployed. The gateway of release 0.1.0 has no codes."""
    return error.status == FORBIDDEN and error.body.get("code") in ("not_permitted", None)


def is_outdated(error: CliError) -> bool:
    """Whether a deploy was refused because something has changed since its plan was made."""
    return isinstance(error, Refused) and error.body.get("code") == OUTDATED


def _read(gateway: Gateway, request: Request) -> Plan | None:
    """Return the gateway's plan; None of one that makes none. Raise `CliError`."""
    try:
        return read_plan(request_plan(gateway, request))
    except Refused as error:
        if is_unknown(error):
            return None
        raise


def is_unknown(error: Refused) -> bool:
    """Whether a gateway has no such route, or the proxy of the API server does not let it through."""
    is_proxy = error.body.get("kind") == "Status"
    is_known = "diagnostics" in error.body or not (is_proxy or error.body.get("code") in UNKNOWN)
    return error.status in CLIENT_ERRORS and not is_known


def _where(request: Request) -> str:
    """Return namespace and name as far as the request has them."""
    query: Mapping[str, str] = request.query
    parts: Sequence[Any] = (query.get("namespace"), query.get("name", "mill"))
    return "/".join(each for each in parts if each)
