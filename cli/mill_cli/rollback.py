"""`mill rollback`: the difference to an earlier revision, a question, and a rollout like any other."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from mill_cli.connection.client import Gateway, path
from mill_cli.connection.failures import Refused
from mill_cli.connection.streams import Request, RolloutStream
from mill_cli.consent import Consent
from mill_cli.errors import CliError, Exit
from mill_cli.follow import FollowedRollout, follow, open_stream, send
from mill_cli.options import Options
from mill_cli.output import plans, screen
from mill_cli.output.lines import ROLLBACK
from mill_cli.output.plans import Plan, read_plan
from mill_cli.output.revision_table import in_words
from mill_cli.output.text import one_line
from mill_cli.plans import is_forbidden, is_outdated, is_unknown
from mill_cli.question import ask

PLANS: Final = 5
"""Number of plans that are made while others change what is deployed."""


@dataclass(frozen=True, slots=True)
class Rollback:
    """What goes back, and to what."""

    revision: int | None
    """None: the last one that succeeded and is another one."""
    service: str | None
    """None: everything."""

    @property
    def query(self) -> dict[str, str]:
        """The query parameters that say so to the gateway."""
        given = {"revision": None if self.revision is None else str(self.revision), "service": self.service}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class _Planned:
    """A plan that was shown, and the request that carries it out."""

    request: Request
    question: str
    services: tuple[str, ...]
    changed: bool


def rollback(options: Options, wanted: Rollback, consent: Consent, *, wait: bool, timeout: timedelta | None) -> Exit:
    """Show what goes back and what does not, ask, and follow the rollout, unless not to `wait`. Raise `CliError`."""
    query = options.where | wanted.query | consent.query
    request = Request("POST", path("deployments", options.deployment, "rollback"), query)
    with Gateway(options) as gateway:
        for attempt in range(PLANS):
            planned = _plan(gateway, request, quiet=options.quiet and consent.yes)
            if not planned.changed:
                return Exit.SUCCESS
            if revision := planned.request.query.get("revision"):
                # To what was deployed meanwhile, the last that succeeded may be the very one that is to be left.
                request = replace(request, query=request.query | {"revision": revision})
            if not consent.yes:
                ask(planned.question, is_stdin_taken=False, needs_answer=True)
            try:
                return _carry_out(gateway, planned, wait=wait, timeout=timeout)
            except Refused as error:
                if not is_outdated(error) or attempt == PLANS - 1:
                    raise
            if not options.quiet:
                screen.note("what is deployed has changed meanwhile; the plan is another one now:")
    raise AssertionError  # the last attempt returns or raises


def _carry_out(gateway: Gateway, planned: _Planned, *, wait: bool, timeout: timedelta | None) -> Exit:
    if not wait:
        return send(RolloutStream(gateway, planned.request), gateway.options)
    stream = open_stream(gateway, planned.request)
    return follow(FollowedRollout(gateway, stream, lambda: planned.services, ROLLBACK, timeout))


def _plan(gateway: Gateway, request: Request, *, quiet: bool) -> _Planned:
    """Show the gateway's plan, also if a question follows, and return the request that does this and nothing else.

    Raise `CliError`.
    """
    options = gateway.options
    where = one_line("/".join(each for each in (options.namespace, options.deployment) if each))
    try:
        answer, now = _ask_for_plan(gateway, request)
    except Refused as error:
        if not is_forbidden(error):
            raise
        if not quiet:
            screen.note(f"rollback of {where}: what changes is unknown without the right to get the MillDeployment")
        return _Planned(request, f"roll back {where}?", (), changed=True)
    plan, target = read_plan(answer), answer.get("target") if isinstance(answer, dict) else None
    match target:
        case {"revision": int(revision)} if plan is not None and plan.base is not None:
            if not quiet:
                _show(plan, revision, [in_words(target, now), *_notes(answer)])
            fixed = {"revision": str(revision), "base": plan.base}
            question = f"roll back {plan.where} to revision {revision}?"
            names = tuple(each.name for each in plan.changes if each.kind == "service")
            return _Planned(replace(request, query=request.query | fixed), question, names, answer["changed"] is True)
    raise CliError(Exit.FAILED, "the gateway's answer is no plan of a rollback", kind="unexpected_answer")


def _ask_for_plan(gateway: Gateway, request: Request) -> tuple[Any, float | None]:
    try:
        return gateway.request_with_time(request.method, request.path, request.query | {"plan": "true"})
    except Refused as error:
        if not is_unknown(error):
            raise
        message = "this gateway is of an earlier release, which cannot go back"
        raise CliError(Exit.FAILED, message, "deploy the earlier file again: `mill deploy FILE`") from error


def _show(plan: Plan, revision: int, texts: list[str]) -> None:
    if not any(each.change != "unchanged" for each in plan.changes):
        screen.note(f"{plan.where} is as revision {revision} was: nothing to roll back")
        return
    target, *notes = texts
    colored = screen.colored_errors()
    lines = [f"rollback of {plan.where} to {target}", *plans.lines(plan, color=colored)]
    screen.note("\n".join([*lines, *(f"  note: {each}" for each in notes)]), painted=colored)


def _notes(answer: dict[str, Any]) -> list[str]:
    found = answer.get("notes")
    return [one_line(str(each)) for each in found] if isinstance(found, list) else []
