"""`mill spawn` and `mill run`: one run of a deployed task, of a task of a file, of an image or of a service."""

from dataclasses import replace
from typing import Any, Final

from mill_cli.connection.client import Gateway
from mill_cli.connection.failures import Refused
from mill_cli.deploy_request import mill_text, with_places
from mill_cli.errors import CliError, Exit, Interrupted
from mill_cli.files import File, InvalidFile
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.text import one_line, with_detail
from mill_cli.runs import command, suggestions

NOT_STARTED: Final = ("run_not_started", "insufficient_resources")
"""Codes of the gateway's answers about a run that could not start."""


def spawn(options: Options, body: dict[str, Any], *, file: File | None, wait: bool, system: bool) -> Exit:
    """Start a run and print it, or follow it to its end. Raise `CliError`.

    `body` is that of `POST /v1/tasks/spawn`, without the file; `system`: whether the namespace may be a system's.
    """
    if file is not None:
        text, identity = mill_text(options, file)
        where = identity | options.query
        options = replace(options, namespace=where.get("namespace"), name=where.get("name"))
        task = body["task"] or _only_task(file)
        body = body | {"task": None, "file": {"task": task, "text": _decoded(text, file)}}
    if wait:  # the id is known before the program starts: Ctrl-C can say how to stop the run
        body = body | {"wait": False}
    with Gateway(options) as gateway:
        run = _request(gateway, body, file, system=system)
        if wait:
            from mill_cli.run_following import FollowedRun  # noqa: PLC0415 - streams take a while to import

            followed = FollowedRun(gateway, str(run["id"]), is_ours=True)
            if not (options.quiet or options.as_json):
                screen.note(f"run {one_line(str(run['id']))} created")
            return followed.follow()
    _print(options, run)
    return Exit.SUCCESS


def _request(gateway: Gateway, body: dict[str, Any], file: File | None, *, system: bool) -> dict[str, Any]:
    query = gateway.options.query | ({"system": "true"} if system else {})
    try:
        run: dict[str, Any] = gateway.request("POST", "/v1/tasks/spawn", query=query, json=body)
    except KeyboardInterrupt:
        listed = command(gateway.options, "ps")
        raise Interrupted(f"if the run was created, it continues; `{listed}` lists it") from None
    except Refused as error:
        raise _explained(error, file, body) from error
    return run


def _explained(error: Refused, file: File | None, body: dict[str, Any]) -> CliError:
    """Return a refusal with the places in the file, or with what to do about a run that could not start."""
    newer = "a task of a file" if file is not None else "a program of a service" if "service" in body else None
    if newer is not None and error.body.get("code") == "invalid_run" and "'task' or 'image'" in str(error):
        return CliError(Exit.FAILED, f"this gateway is too old to run {newer}", "upgrade it", kind="gateway_too_old")
    if error.body.get("code") in NOT_STARTED:
        message = one_line(with_detail(str(error), error.body.get("detail")))
        return Refused(error.status, error.body, message, *suggestions(error.body))
    return error if file is None else with_places(error, file)


def _only_task(file: File) -> str:
    """Return the name of the one task of a file. Raise `CliError` if there are more or none."""
    from mill_language import InvalidConfig  # noqa: PLC0415 - with a name, the gateway alone parses the file

    try:
        names = [each.name for each in file.spec().tasks]
    except InvalidConfig as error:
        raise InvalidFile(error, file) from error
    if not names:
        raise CliError(Exit.USAGE, f"{file.name} has no task")
    if len(names) > 1:
        raise CliError(Exit.USAGE, f"{file.name} has {len(names)} tasks", f"name one of them: {', '.join(names)}")
    return names[0]


def _decoded(text: bytes, file: File) -> str:
    """Return a file as the text that JSON can have. Raise `CliError`."""
    from mill_language import InvalidConfig  # noqa: PLC0415 - as above

    try:
        return text.decode()
    except UnicodeDecodeError:
        try:
            file.spec()
        except InvalidConfig as error:
            raise InvalidFile(error, file) from error
        raise


def _print(options: Options, run: dict[str, Any]) -> None:
    if options.as_json:
        screen.out_json(run)
        return
    if options.quiet:  # what a script needs for `mill logs` and `mill kill`
        screen.out(one_line(str(run["id"])))
        return
    screen.out(f"  id:      {one_line(str(run['id']))}")
    if run.get("address") is not None:
        screen.out(f"  address: {one_line(str(run['address']))}")
    screen.out(f"  status:  {one_line(str(run['status']))}")
